internal import Base
internal import KlingAPI
internal import TaskStore

/// What Kling's calls make of tasks.
struct CallbackInbox: CallbackReceiver {
    let tasks: TryOnTasks

    func record(of task: TaskID) async throws(StoreError) -> TaskRecord? { try await tasks.store.task(task) }

    /// Taken at its word, if that is all that a query would bring: under Kling's id of the task, and with pictures if it has
    /// succeeded. What is late or comes again changes nothing: states only go forward.
    func observed(_ task: TaskID, _ object: TaskObject) async {
        let isWhole = TaskState(object.status) != nil && (object.status != .succeed || !object.images.isEmpty)
        guard isWhole, let upstreamID = try? await record(of: task)?.upstreamID, upstreamID == object.taskID else {
            return await hint(task)
        }
        _ = await tasks.heard(object, of: task)
    }

    func hint(_ task: TaskID) async {
        tasks.watcher.hint(task)
        guard let record = try? await tasks.store.task(task), record.upstreamID == nil, !record.state.isFinal,
            let account = tasks.account(of: record)
        else { return }
        // The answer to its create is lost or still on its way: Kling has the task.
        tasks.background.start { [tasks] in
            guard
                case .found(let answer, _, let upstreamID) = await tasks.lookUp(
                    task, at: Destination(account, record.dialect))
            else { return }
            _ = await tasks.adopt(answer, upstreamID, task, account)
        }
    }
}
