internal import Base
internal import GatewayConfiguration
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Serves jobs and assets in useapi.net's shape.
struct UseapiHandler: ShapeHandler {
    let tasks: TryOnTasks
    let assets: AssetHandler?
    let pictures: PictureIntake
    let models: TryOnModels
    let bodyLimit: Int

    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        switch admitted.match.route {
        case .useapiTryOn: return try await create(admitted)
        case .useapiTask: return try await query(admitted)
        case .useapiTasks: return try await list(admitted)
        case .useapiAssets:
            guard let assets else { throw .unknownPath }
            return try await assets.upload(admitted, bodyLimit: bodyLimit)
        case .useapiAsset:
            guard let assets else { throw .unknownPath }
            return try await assets.download(admitted)
        default: throw .unknownPath
        }
    }

    /// Answers a query for a job, including one that was created in another shape.
    private func query(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let id = admitted.identifier
        guard id.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(id) else { throw .unknownTask }
        let found = try await tasks.jobs.find(
            number, tenant: admitted.tenant, admitted.note)
        var response = try await admitted.success(UseapiView.json(found.job))
        if let staleness = found.staleness {
            response.headers.append(
                (name: "x-kling-gateway-stale", value: String(max(1, Int(staleness.seconds.rounded(.up))))))
        }
        return response
    }

    private func list(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let wanted = try UseapiListParameters(query: admitted.request.head.query)
        let account = try account(named: wanted.email)
        var (jobs, lease): ([JobRecord], ByteBudget.Lease?) = ([], nil)
        if wanted.wantsPictures { (jobs, lease) = try await page(wanted, ofAccount: account, admitted) }
        if let account { jobs = jobs.filter { $0.tasks.contains { $0.account == account } } }
        let (head, tail) = UseapiView.aroundHistory
        var history = SlicedArray(after: head, capacity: jobs.count * UseapiView.usualLength)
        jobs = jobs.prefix(wanted.size).reversed()
        while let job = jobs.popLast() { history.append(UseapiView.json(job)) }
        var response = Answer.success([], requestID: admitted.note.requestID)
        response.body = history.body(before: tail, holding: lease)
        return response
    }

    /// The jobs for a list, newest first, and the lease of the memory that they take.
    private func page(
        _ wanted: UseapiListParameters, ofAccount account: String?, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> (jobs: [JobRecord], lease: ByteBudget.Lease?) {
        // The store cannot look jobs up by account: read a full page, and let the caller filter it.
        let (tenant, size) = (admitted.tenant, account == nil ? wanted.size : TryOn.pageSizes.upperBound)
        let fix = "Ask for a smaller pageSize, or for less time with createdAfter and createdBefore."
        // A picture's URL appears twice in a page.
        let (jobs, lease) = try await admitted.page(of: size, copies: 2, fix: fix) { limit throws(StoreError) in
            try await tasks.store.jobs.list(
                tenant: tenant, shape: Shape.useapi.rawValue, createdAfter: wanted.createdAfter,
                createdBefore: wanted.createdBefore, limit: size, answersUpTo: limit)
        }
        return (await tasks.jobs.refreshed(jobs, admitted.note), lease)
    }

    /// The account that `email` names. If there is only one account, a text that can't be an account's name, such as an
    /// email address of useapi.net's, means that one.
    func account(named email: String?) throws(GatewayError) -> String? {
        guard let email else { return nil }
        if tasks.accounts.named(email) != nil { return email }
        if tasks.accounts.all.count == 1, ValueFormat.accountName.parse(email) == nil { return nil }
        throw GatewayError(
            in: .email, "names no account of this gateway. Send the name of one, or leave it out for any.")
    }
}
