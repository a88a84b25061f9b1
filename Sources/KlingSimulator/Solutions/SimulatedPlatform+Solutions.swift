internal import KlingAPI

/// The answers of the newer API.
extension SimulatedPlatform {
    /// The `data` of a create.
    mutating func create(
        solution request: CreateRequest, _ account: Int, _ now: Int, _ base: String
    ) throws(SimulatedRefusal) -> [UInt8] {
        let task = try kling.create(request, by: .solutions, account: account, now: now)
        return fields(of: task, now, base).created
    }

    /// The `data` of a query: the known tasks, in the order in which the query names them.
    mutating func find(
        _ query: SolutionQuery, _ account: Int, _ fault: SearchFault?, _ now: Int, _ base: String
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { list in
            for name in query.names {
                guard let task = kling.query(name, account: account, now: now, fault) else { continue }
                list.object { fields(of: task, now, base).write(to: &$0) }
            }
        }
        return writer.bytes
    }

    /// The `data` of a page of the list.
    mutating func list(
        _ page: SolutionPage, _ account: Int, _ fault: SearchFault?, _ now: Int, _ base: String
    ) -> [UInt8] {
        let (tasks, hasMore) = kling.list(page, account: account, now: now, fault)
        return JSONWriter.object(capacity: tasks.count * 384 + 128) { data in
            data.array("result") { list in
                for task in tasks { list.object { fields(of: task, now, base).write(to: &$0) } }
            }
            data.member("count", tasks.count)
            let last = hasMore ? tasks.last : nil
            data.member("next_cursor", last.map { page.nextCursor(behind: $0.id, now: now) } ?? "")
            data.member("has_more", hasMore)
        }
    }

    private func fields(of task: SimulatedTask, _ now: Int, _ base: String) -> SolutionFields {
        task.solution(at: now, base: base, billing: configuration.billing)
    }

    /// The URLs of the pictures to fetch before a request is answered: those of a create that would otherwise be
    /// accepted.
    /// - Parameter now: in milliseconds since 1970.
    func picturesToFetch(for request: SimulatedRequest, now: Int) -> [String] {
        guard configuration.fetchesPictures, case .call(let call) = request.route,
            case .create(_, .success(let create)) = call, !create.contentURLs.isEmpty,
            (try? admit(call, request.authorization, now)) != nil
        else { return [] }
        return create.contentURLs
    }
}

extension SimulatedRequest {
    /// The request, turned into a refusal if one of its fetched pictures is not acceptable.
    func judged(by pictures: [FetchedPicture]) -> SimulatedRequest {
        guard case .call(.create(let dialect, .success(let create))) = route else { return self }
        let result = Result { () throws(SimulatedRefusal) in
            try create.checkPictures(pictures)
            return create
        }
        return SimulatedRequest(route: .call(.create(dialect, result)), headers: headers)
    }
}
