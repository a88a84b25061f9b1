internal import Foundation
internal import KlingAPI
internal import KlingSimulator

/// The demo's client: curl, with exactly the command lines that a user would type.
struct DemoClient {
    let gateway: String
    let key: String
    let folder: DemoFolder

    /// The result of a try-on.
    struct Result {
        let taskID: String
        /// Where the picture is, at Kling and on this machine.
        let url, path: String
    }

    private var endpoint: String { gateway + "/kling" + TryOn.path }
    private var newerCreate: String { gateway + Solutions.createPath }
    private var newerQuery: String { gateway + Solutions.path }
    private var authorization: [String] { ["-H", "Authorization: Bearer \(key)"] }
    private var json: [String] { ["-H", "Content-Type: application/json"] }

    /// Creates a task with two pictures, waits for its end and stores the result, all as a client of Kling's older API;
    /// then reads the task as a client of the newer API.
    func tryOn() throws -> Result {
        let create = try folder.write(Self.createBody, to: "create.json")
        let made = try curl(["-X", "POST", endpoint] + authorization + json + ["--data", "@\(create)"])
        guard let id = KlingAnswer(made)?.task?.taskID else { throw fail("the create was not accepted") }
        let url = try wait(for: id)
        let picture = folder.path("result.png")
        try curl(["--fail", "-o", picture, url], isQuiet: true)
        print("\nThe same task for a client of Kling's newer API:\n")
        try curl([newerQuery + "?task_ids=" + id] + authorization)
        return Result(taskID: id, url: url, path: picture)
    }

    /// Prints the commands to try next.
    func printNextSteps(after result: Result) {
        let create = folder.path("create.json")
        for arguments in [
            ["-X", "POST", newerCreate] + authorization + json + ["--data", Self.newerBody(result.url)],
            ["-X", "POST", endpoint] + authorization + json + ["--data", "@\(create)"],
            ["\(endpoint)?pageNum=1&pageSize=10"] + authorization,
            [endpoint + "/" + result.taskID] + authorization,
        ] { print(Self.line(arguments)) }
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

    private func wait(for id: String) throws -> String {
        for attempt in 0..<120 {
            if attempt > 0 { Thread.sleep(forTimeInterval: 0.5) }
            let answer = try curl([endpoint + "/" + id] + authorization, isQuiet: attempt > 0)
            guard let task = KlingAnswer(answer)?.task else { throw fail("the query failed") }
            if task.status == .failed { throw fail("the task failed: \(task.statusMessage ?? "no reason given")") }
            if task.status == .succeed, let image = task.images.first {
                print("\n" + String(decoding: answer, as: UTF8.self))
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

    @discardableResult
    private func curl(_ arguments: [String], isQuiet: Bool = false) throws -> [UInt8] {
        if !isQuiet { print(Self.line(arguments)) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["curl", "--silent", "--show-error", "--max-time", "60", "--noproxy", "*"] + arguments
        process.standardOutput = output
        try process.run()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw fail("curl ended with \(process.terminationStatus): is it installed?")
        }
        if !isQuiet { print(String(decoding: answer, as: UTF8.self)) }
        return Array(answer)
    }

    /// The command line as a shell reads it.
    private static func line(_ arguments: [String]) -> String {
        let safe = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./:@=,%"))
        return "curl "
            + arguments.map { argument in
                argument.unicodeScalars.allSatisfy(safe.contains) ? argument : "'\(argument)'"
            }.joined(separator: " ")
    }
}
