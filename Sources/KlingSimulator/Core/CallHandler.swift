internal import KlingAPI

/// Carries out a call of one account at one time, and writes the `data` of its answer.
struct CallHandler: Sendable {
    /// The number of the account that makes the call.
    let account: Int
    /// In milliseconds since 1970.
    let now: Int
    /// The prefix of picture URLs.
    let base: String
    /// What goes wrong with a search, if anything.
    let fault: SearchFault?
    let billing: SimulatedBilling
    let unknownTaskShape: SimulatorConfiguration.UnknownTaskShape

    /// Carries out `call`.
    /// - Returns: the `data` of the answer.
    func data(_ call: SimulatedRequest.Call, _ kling: inout SimulatedKling) throws(SimulatedRefusal) -> [UInt8] {
        switch call {
        case .create(.kolors, let request):
            let task = try kling.create(request.get(), by: .kolors, account: account, now: now)
            return task.fields(at: now, base: base).json
        case .create(.solutions, let request):
            let task = try kling.create(request.get(), by: .solutions, account: account, now: now)
            return solution(task).created
        case .solutionQuery(let query): return find(try query.get(), &kling)
        case .solutionList(let page): return list(try page.get(), &kling)
        case .query(let name):
            guard let task = kling.query(name, account: account, now: now, fault) else {
                return try unknownTask(name.text)
            }
            return task.fields(at: now, base: base).json
        case .list(let page): return list(try page.get(), &kling)
        }
    }

    // MARK: The older API

    private func unknownTask(_ id: String) throws(SimulatedRefusal) -> [UInt8] {
        switch unknownTaskShape {
        case .invalidParameter: throw .parameter("Task not found")
        case .notFound: throw SimulatedRefusal(.notFound, "Task not found")
        case .failedTask:
            return TaskFields(
                taskID: id, status: .failed, statusMessage: "task not found", createdAt: now, updatedAt: now
            ).json
        }
    }

    private func list(_ page: ListPage, _ kling: inout SimulatedKling) -> [UInt8] {
        let tasks = kling.list(page, account: account, now: now, fault)
        var writer = JSONWriter(capacity: tasks.count * 384 + 16)
        writer.array { list in
            for task in tasks { list.object { task.fields(at: now, base: base).write(to: &$0) } }
        }
        return writer.bytes
    }

    // MARK: The newer API

    /// The known tasks, in the order in which the query names them.
    private func find(_ query: SolutionQuery, _ kling: inout SimulatedKling) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { list in
            for name in query.names {
                guard let task = kling.query(name, account: account, now: now, fault) else { continue }
                list.object { solution(task).write(to: &$0) }
            }
        }
        return writer.bytes
    }

    private func list(_ page: SolutionPage, _ kling: inout SimulatedKling) -> [UInt8] {
        let (tasks, hasMore) = kling.list(page, account: account, now: now, fault)
        return JSONWriter.object(capacity: tasks.count * 384 + 128) { data in
            data.array("result") { list in
                for task in tasks { list.object { solution(task).write(to: &$0) } }
            }
            data.member("count", tasks.count)
            let last = hasMore ? tasks.last : nil
            data.member("next_cursor", last.map { page.nextCursor(after: $0.id, now: now) } ?? "")
            data.member("has_more", hasMore)
        }
    }

    private func solution(_ task: SimulatedTask) -> SolutionFields {
        task.solution(at: now, base: base, billing: billing)
    }
}
