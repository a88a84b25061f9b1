internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// The answer to an edit with `stream`: Server-Sent Events, as OpenAI's API sends them.
///
/// While the client waits, comments keep proxies from closing the connection. Then comes one event for each picture, or
/// one for an error.
final class EditEventStream: @unchecked Sendable {
    // @unchecked: used only on the connection's loop, by the server, which asks for one part at a time.

    /// The time between two comments.
    private static let pause = Duration.seconds(10)
    private static let comment = [ByteSlice(copying: ": waiting\n\n")]

    private let edits: ImageEdits
    private let admitted: AdmittedRequest
    private let deadline: MonotonicTime
    private var job: JobRecord
    private var view: ImageEditView?
    /// How many pictures were sent.
    private var count = 0
    private var hasBegun = false
    private var hasFailed = false

    private init(_ job: JobRecord, until deadline: MonotonicTime, _ edits: ImageEdits, _ admitted: AdmittedRequest) {
        (self.job, self.deadline, self.edits, self.admitted) = (job, deadline, edits, admitted)
    }

    /// The streamed answer for a job. It waits for the pictures until `deadline`.
    static func answer(
        _ job: JobRecord, until deadline: MonotonicTime, _ edits: ImageEdits, _ admitted: AdmittedRequest
    ) -> HTTPResponse {
        let events = EditEventStream(job, until: deadline, edits, admitted)
        let requestID = admitted.note.requestID
        return HTTPResponse(
            status: 200,
            headers: [
                (name: "Content-Type", value: "text/event-stream; charset=utf-8"),
                (name: "Cache-Control", value: "no-store"), (name: "X-Request-Id", value: requestID),
                // Without it, nginx buffers the comments.
                (name: "X-Accel-Buffering", value: "no"),
            ],
            body: .stream { await Origin.$bound.withValue(.request(requestID)) { await events.next() } })
    }

    private func next() async -> [ByteSlice]? {
        if hasFailed { return nil }
        guard hasBegun else {
            hasBegun = true
            return Self.comment
        }
        do throws(GatewayError) {
            guard let view = try await result() else { return Self.comment }
            guard count < view.urls.count else { return nil }
            let index = count
            count += 1
            return try await picture(index, of: view)
        } catch {
            hasFailed = true
            return failure(error)
        }
    }

    /// Waits for the pictures until the next comment is due.
    /// - Returns: nil if they are not ready yet.
    private func result() async throws(GatewayError) -> ImageEditView? {
        if let view { return view }
        if !job.isFinal { job = await edits.tasks.jobs.ended(job, until: min(deadline, .now + Self.pause)) }
        if !job.isFinal, MonotonicTime.now < deadline { return nil }
        view = try await edits.result(of: job, admitted)
        return view
    }

    private func picture(_ index: Int, of view: ImageEditView) async throws(GatewayError) -> [ByteSlice] {
        let (header, text): (ImageHeader?, Bytes)
        do {
            (header, text) = try await edits.picture(view.urls[index], admitted)
        } catch {
            throw .unfetched(job)
        }
        return [ByteSlice(copying: "event: image_edit.completed\ndata: ")] + view.event(index, header, text) + Self.end
    }

    private func failure(_ error: GatewayError) -> [ByteSlice] {
        admitted.note.cause = error.cause
        let answer = ErrorAnswer.stored(
            error.withOpenAINames, shape: .openAI, requestID: admitted.note.requestID)
        return [ByteSlice(copying: "event: error\ndata: \(String(decoding: answer.body, as: UTF8.self))\n\n")]
    }

    private static let end = [ByteSlice(copying: "\n\n")]
}
