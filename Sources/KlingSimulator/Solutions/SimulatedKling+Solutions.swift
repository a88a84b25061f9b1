internal import KlingAPI

extension SimulatedKling {
    /// A page of the account's tasks of the newer API, newest first, and whether more follow.
    /// - Parameter fault: what goes wrong with the search, if anything.
    mutating func list(
        _ page: SolutionPage, account: Int, now: Int, _ fault: SearchFault? = nil
    ) -> (tasks: [SimulatedTask], hasMore: Bool) {
        forgetExpired(account, now)
        let (times, lag) = (page.times(now: now), fault?.lag ?? 0)
        // Look for the end of the previous page among all tasks: the state of its last task may have changed.
        let behind = newestFirst(.solutions, account, now).drop { task in
            page.cursor.map { $0.taskID != task.id } ?? false
        }
        let matching = behind.dropFirst(page.cursor == nil ? 0 : 1).lazy.filter { task in
            times.start <= task.createdAt && task.createdAt < times.end && task.createdAt + lag <= now
                && page.statuses?.contains(task.status(at: now)) ?? true
        }
        let tasks = Array(matching.prefix(page.limit + 1))
        return (Array(tasks.prefix(page.limit)), tasks.count > page.limit)
    }
}
