internal import Base
internal import KlingAPI
internal import TaskStore

/// Applies Kling's callbacks to tasks.
struct CallbackInbox: CallbackReceiver {
    let tasks: TryOnTasks

    func record(of task: TaskID) async throws(StoreError) -> TaskRecord? { try await tasks.store.task(task) }

    /// Applies a reported state as if a query had returned it, if it is as complete: it has Kling's id of the task, and
    /// pictures if the task has succeeded. Otherwise it is a hint. A late or repeated callback changes nothing, because
    /// states only move forward.
    func observed(_ task: TaskID, _ object: TaskObject) async {
        let isWhole = TaskState(object.status) != nil && (object.status != .succeed || !object.images.isEmpty)
        guard isWhole, let upstreamID = try? await record(of: task)?.upstreamID, upstreamID == object.taskID else {
            return await hint(task)
        }
        _ = await tasks.ledger.recordObservation(object, of: task)
    }

    func hint(_ task: TaskID) async {
        tasks.ledger.watcher.hint(task)
        guard let record = try? await tasks.store.task(task), record.upstreamID == nil, !record.state.isFinal,
            let account = tasks.ledger.account(of: record)
        else { return }
        // Kling has the task, but the answer to its create is lost or still in flight.
        tasks.background.start { [tasks] in
            guard
                case .found(let answer, _, let upstreamID) = await tasks.probes.lookUp(
                    task, at: Destination(account, record.dialect))
            else { return }
            _ = await tasks.attempts.adopt(answer, upstreamID, task, account)
        }
    }
}
