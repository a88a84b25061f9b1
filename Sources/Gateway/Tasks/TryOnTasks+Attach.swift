internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Creates that come again because nobody has read the answer to the first.
extension TryOnTasks {
    /// How often an earlier create whose outcome is open is looked at.
    private static let attachPause = Duration.milliseconds(200)

    /// What an earlier create of the same content has come to. One whose outcome is open is waited for, as long as a
    /// client of its own would wait.
    /// - Returns: the answer's body, Kling's envelope under the client's ids; nil if it has made nothing.
    /// - Throws: ``Cause/upstreamFailed`` with the task's id, if its outcome is still open.
    func attached(to id: TaskID, _ note: ExchangeNote) async throws(GatewayError) -> [UInt8]? {
        let deadline = MonotonicTime.now + LookUpPlan.clientWait
        repeat {
            let record: TaskRecord?
            do {
                record = try await store.task(id)
            } catch {
                throw GatewayError(error)
            }
            guard let record, !record.wasNeverMade else { return nil }
            if record.upstreamID != nil || record.state == .queued {
                return Envelope.success(requestID: note.requestID, data: TaskView.json(record))
            }
            guard await background.sleep(until: .now + Self.attachPause) else { break }
        } while MonotonicTime.now < deadline
        var error = GatewayError(
            .upstreamFailed,
            "This create came before, and its task may have been made. Do not send it again: query it by error.task_id."
        )
        // To be told of names it.
        error.taskID = (try? await store.show(id, at: clock.now))?.publicID ?? id.description
        throw error
    }
}

extension TaskRecord {
    /// Whether it has ended without Kling ever having had it: nothing was charged.
    var wasNeverMade: Bool { state.isFinal && upstreamID == nil }
}
