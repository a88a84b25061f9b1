internal import EventLoop
internal import Foundation
internal import HTTPClient
internal import KlingAPI
internal import KlingSimulator

/// The demo's client. It prints each request as the curl command for it.
struct DemoClient {
    private let gateway: String
    private let key: String
    private let folder: DemoFolder
    private let loop: EventLoop
    private let client: HTTPClient

    /// The result of a try-on.
    struct TryOnResult {
        let taskID: String
        /// Where the picture is, at Kling and on this machine.
        let url, path: String
    }

    init(gateway: String, key: String, folder: DemoFolder) throws {
        (self.gateway, self.key, self.folder) = (gateway, key, folder)
        loop = try EventLoop(name: "client")
        client = try HTTPClient(loop: loop)
    }

    private var endpoint: String { gateway + "/kling" + TryOn.path }

    /// Creates a task with two pictures, waits for its end and stores the result, all as a client of Kling's older API;
    /// then reads the task as a client of the newer API.
    func tryOn() async throws -> TryOnResult {
        let pictures = Self.createBody
        let create = try folder.write(pictures, to: "create.json")
        let made = try await show(DemoRequest(url: endpoint, key: key, body: .file(create, pictures)))
        guard let id = KlingAnswer(made)?.task?.taskID else { throw fail("the create was not accepted") }
        let url = try await wait(for: id)
        let path = try folder.write(await send(DemoRequest(url: url)), to: "result.png")
        printNow("\nThe same task for a client of Kling's newer API:\n")
        _ = try await show(DemoRequest(url: gateway + Solutions.path + "?task_ids=" + id, key: key))
        return TryOnResult(taskID: id, url: url, path: path)
    }

    /// Prints the commands to try next.
    func printNextSteps(after result: TryOnResult) {
        for request in [
            DemoRequest(url: gateway + Solutions.createPath, key: key, body: .text(Self.newerBody(result.url))),
            DemoRequest(url: endpoint, key: key, body: .file(folder.path("create.json"), [])),
            DemoRequest(url: "\(endpoint)?pageNum=1&pageSize=10", key: key),
            DemoRequest(url: endpoint + "/" + result.taskID, key: key),
        ] { printNow(request.command) }
    }

    /// Stops it. Call it once, after its requests have ended.
    func stop() {
        client.shutdown()
        loop.stop()
    }

    /// A create of the newer API that tries on the clothes in a picture.
    private static func newerBody(_ url: String) -> String {
        let body = JSONWriter.object { body in
            body.array("contents") { contents in
                for type in ["person_image", "product_image"] {
                    contents.object { content in
                        content.member("type", type)
                        content.member("url", url)
                    }
                }
            }
        }
        return String(decoding: body, as: UTF8.self)
    }

    private func wait(for id: String) async throws -> String {
        let query = DemoRequest(url: endpoint + "/" + id, key: key)
        for attempt in 0..<120 {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(500)) }
            let answer = attempt == 0 ? try await show(query) : try await send(query)
            guard let task = KlingAnswer(answer)?.task else { throw fail("the query failed") }
            if task.status == .failed { throw fail("the task failed: \(task.statusMessage ?? "no reason given")") }
            if task.status == .succeed, let image = task.images.first {
                printNow("\n" + String(decoding: answer, as: UTF8.self))
                return image.url
            }
        }
        throw fail("the task did not end in a minute")
    }

    /// Two pictures as base64, as a shop's server would send them.
    private static var createBody: [UInt8] {
        JSONWriter.object { body in
            body.member("model_name", "kolors-virtual-try-on-v1-5")
            body.member("human_image", Data(SamplePictures.person).base64EncodedString())
            body.member("cloth_image", Data(SamplePictures.garment).base64EncodedString())
        }
    }

    /// Sends a request, and prints it and its answer.
    private func show(_ request: DemoRequest) async throws -> [UInt8] {
        printNow(request.command)
        let answer = try await send(request)
        printNow(String(decoding: answer, as: UTF8.self))
        return answer
    }

    private func send(_ request: DemoRequest) async throws -> [UInt8] {
        let (client, sent) = (client, request.request)
        let answer = await loop.spawn { () -> Result<HTTPClientResponse, HTTPClientError> in
            do throws(HTTPClientError) {
                return .success(try await client.execute(sent))
            } catch {
                return .failure(error)
            }
        }.value
        switch answer {
        case .success(let answer) where (200...299).contains(answer.status): return answer.body
        case .success(let answer):
            throw fail("\(request.url) answered \(answer.status): \(String(decoding: answer.body, as: UTF8.self))")
        case .failure(let failure): throw fail("\(request.url) does not answer: \(failure)")
        }
    }
}
