import Base
import EventLoop
import HTTPServer
import KlingAPI
import Pictures
import TestKit
import Testing

@testable import Gateway
@testable import TaskStore

/// Edits with several pictures, of which Kling makes only some.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct ImageEditTests {
    /// How one of an edit's tasks ends.
    enum End: Sendable { case made, failed, refused }

    private static let path = "/v1/images/edits"
    private static let body =
        #"{"image":["https://a.test/h.png","https://a.test/c.png"],"n":3,"response_format":"url"}"#

    private static func url(_ upstreamID: String) -> String { "https://kling.test/\(upstreamID).png" }

    /// What Kling says about a task that has ended.
    private static func object(_ upstreamID: String, _ end: End) throws -> TaskObject {
        let result =
            end == .made
            ? #""task_status":"succeed","task_result":{"images":[{"index":0,"url":"\#(url(upstreamID))"}]}"#
            : #""task_status":"failed","task_status_msg":"no person in \#(upstreamID)""#
        return try #require(TaskObject(Array(#"{"task_id":"\#(upstreamID)",\#(result)}"#.utf8)))
    }

    /// The answer to an edit with three pictures whose tasks end as given. The first is never refused: otherwise there
    /// would be no job.
    private func answer(_ ends: [End]) async throws -> (answer: RawClient.Answer, tasks: [TaskRecord]) {
        let kling = ScriptedKling(ends.map { $0 == .refused ? .refuse(status: 400, code: 1301) : .accept })
        let result = Lock<(RawClient.Answer, [TaskRecord])?>(nil)
        try await JobFixture.run(kling) { fixture in
            let (budget, observer) = (ByteBudget(capacity: 64 << 20), Silence())
            let service = PictureService(
                fetcher: PictureFetcher(source: NoPictures(), budget: budget, observer: observer, accounts: []),
                workers: PictureWorkers())
            let edits = ImageEdits(
                tasks: fixture.tasks, models: .documented, bodyLimit: 1 << 20, wait: .seconds(600),
                intake: PictureIntake(
                    assets: nil, service: service, budget: budget, reach: LinkPolicy(accounts: [], publicURL: nil)),
                pictures: service,
                budget: budget)
            let client = Task {
                try await exchange(post(Self.path, Array(Self.body.utf8)), budget: budget) { request in
                    let note = ExchangeNote(request.head)
                    defer { note.end() }
                    guard let admitted = try? AdmittedRequest(request, budget) else { return HTTPResponse(status: 500) }
                    do throws(GatewayError) {
                        return try await edits.answer(admitted)
                    } catch {
                        return ErrorAnswer.response(to: error, shape: .openAI, requestID: "r")
                    }
                }
            }
            // Once the second create has arrived, the job is known.
            for _ in 0..<2 { _ = await kling.arrivals.next() }
            let jobs = try await fixture.store.jobs.list(
                tenant: "shop", shape: Shape.openAI.rawValue, createdAfter: nil, createdBefore: nil, limit: 1)
            let job = try await fixture.job(try #require(jobs.first).number) { job in
                job.tasks.allSatisfy { $0.upstreamID != nil || $0.state.isFinal }
            }
            for task in job.tasks {
                // Later creates may reach Kling in any order.
                guard let upstreamID = task.upstreamID, let number = upstreamID.split(separator: "-").last,
                    let index = Int(number)
                else { continue }
                _ = await fixture.tasks.ledger.recordObservation(
                    try Self.object(upstreamID, ends[index - 1]), of: task.id)
            }
            let answer = try await client.value
            let ended = try await fixture.job(job.number) { _ in true }
            result.withLock { $0 = (answer, ended.tasks) }
        }
        return try #require(result.withLock { $0 })
    }

    @Test(
        arguments: [
            [.made, .made, .made], [.made, .failed, .made], [.made, .refused, .made], [.failed, .made, .made],
            [.failed, .refused, .made], [.made, .refused, .refused],
        ] as [[End]])
    func `an edit has the pictures that were made, and the ids of all its tasks`(ends: [End]) async throws {
        let (answer, tasks) = try await answer(ends)
        #expect(answer.status == 200, "\(answer.text)")
        let pictures = try #require(answer.json["data"] as? [[String: String]])
        let made = tasks.filter { $0.state == .succeed }
        #expect(made.count == ends.count { $0 == .made })
        #expect(pictures == made.map { ["url": Self.url($0.upstreamID ?? "-")] })
        #expect(answer.json["task_ids"] as? [String] == tasks.compactMap(\.publicID))
        #expect(answer.json["task_id"] as? String == tasks[0].publicID)
    }

    @Test(arguments: [[.failed, .failed, .failed], [.failed, .refused, .failed]] as [[End]])
    func `an edit without any picture fails for its first task's reason`(ends: [End]) async throws {
        let (answer, tasks) = try await answer(ends)
        let error = try #require(answer.json["error"] as? [String: Any])
        #expect(answer.status == Cause.taskFailed.row.status && error["code"] as? String == Cause.taskFailed.row.word)
        #expect((error["message"] as? String)?.hasSuffix("Kling says: no person in kling-1") == true)
        #expect(error["task_id"] as? String == tasks[0].publicID)
    }
}
