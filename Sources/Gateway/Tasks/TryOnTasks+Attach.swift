internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Creates that come again because nobody has read the answer to the first.
extension TryOnTasks {
    /// What an earlier create of the same content has come to. One whose outcome is open is brought to its end first, as far
    /// as a client of its own would wait for that.
    /// - Returns: the answer's body, Kling's envelope under the client's ids; nil if it has made nothing.
    /// - Throws: ``Cause/upstreamFailed`` with the task's id, if its outcome is still open.
    func attached(
        to id: TaskID, _ request: TryOnRequest, _ note: ExchangeNote, on loop: EventLoop
    ) async throws(GatewayError) -> [UInt8]? {
        note.task = id
        await pursue(id, on: loop) { () throws(GatewayError) in request }
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
        var error = GatewayError(
            .upstreamFailed,
            "This create came before, and its task may have been made. Do not send it again: query it by error.task_id."
        )
        // To be told of names it.
        error.taskID = await shown(id)
        throw error
    }

    /// Brings an earlier create whose outcome is open to its end while a client waits that has sent the same again: it is
    /// looked up, and sent again where its own client's create would be.
    /// - Parameters:
    ///   - limit: when that client waits no longer; nil: as long as clients wait for an open create.
    ///   - request: what to send again.
    func pursue(
        _ id: TaskID, until limit: MonotonicTime? = nil, on loop: EventLoop,
        _ request: () async throws(GatewayError) -> TryOnRequest
    ) async {
        guard let record = try? await store.task(id), record.state == .intent, record.upstreamID == nil,
            case .same(let account) = match(of: record)
        else { return }
        let destination = Destination(account, record.dialect)
        _ = await settle(id, at: destination, timedOut: false, until: limit) {
            guard let request = try? await request() else { return nil }
            return try? await body(of: request, id, record.tenant, for: destination, on: loop)
        }
    }
}

extension TaskRecord.Fields {
    /// Whether it has ended without Kling ever having had it: nothing was charged.
    var wasNeverMade: Bool { state.isFinal && upstreamID == nil }
}
