internal import Base
internal import KlingAPI
internal import TaskStore

/// What Kling's calls make of tasks.
struct CallbackInbox: CallbackReceiver {
    let tasks: TryOnTasks

    func record(of task: TaskID) async throws(StoreError) -> TaskRecord? { try await tasks.store.task(task) }

    /// Proven, but not more than that: a callback has other members than a task, so that the state is kept and the rest is
    /// read from Kling.
    func observed(_ task: TaskID, _ object: TaskObject) async { await hint(task) }

    func hint(_ task: TaskID) async {
        tasks.watcher.hint(task)
        guard let record = try? await tasks.store.task(task), record.upstreamID == nil, !record.state.isFinal,
            let account = record.account.flatMap(tasks.accounts.named)
        else { return }
        // The answer to its create is lost or still on its way: Kling has the task.
        tasks.background.start { [tasks] in
            guard case .found(let answer, let upstreamID) = await tasks.lookUp(task, at: account) else { return }
            _ = await tasks.adopt(answer, upstreamID, task, account)
        }
    }
}
