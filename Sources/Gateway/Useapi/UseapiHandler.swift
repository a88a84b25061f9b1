internal import Base
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Jobs and assets as useapi.net's clients ask for them.
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

    /// Shows a job, also one that was asked for in the words of another shape.
    private func query(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let id = admitted.identifier
        guard id.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(id) else { throw .unknownTask }
        let found = try await tasks.job(
            number, tenant: admitted.tenant, admitted.note, on: admitted.request.loop)
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

    /// Jobs that a list may show, newest first, and the memory that they take.
    private func page(
        _ wanted: UseapiListParameters, ofAccount account: String?, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> (jobs: [JobRecord], lease: ByteBudget.Lease?) {
        // Which account has a job is not what the store looks jobs up by.
        let (tenant, size) = (admitted.tenant, account == nil ? wanted.size : TryOn.pageSizes.upperBound)
        let fix = "Ask for a smaller pageSize, or for less time with createdAfter and createdBefore."
        // A picture's URL stands in a page twice.
        let (jobs, lease) = try await admitted.page(of: size, copies: 2, fix: fix) { limit throws(StoreError) in
            try await tasks.store.jobs(
                tenant: tenant, shape: Shape.useapi.rawValue, createdAfter: wanted.createdAfter,
                createdBefore: wanted.createdBefore, limit: size, answersUpTo: limit)
        }
        return (await tasks.refreshed(jobs, admitted.note), lease)
    }

    /// The account that `email` names. Where there is but one, an address of useapi.net's, which no account's name can
    /// be, means that one.
    func account(named email: String?) throws(GatewayError) -> String? {
        guard let email else { return nil }
        if tasks.accounts.named(email) != nil { return email }
        if tasks.accounts.all.count == 1, ValueFormat.accountName.parse(email) == nil { return nil }
        throw GatewayError(
            in: .email, "names no account of this gateway. Send the name of one, or leave it out for any.")
    }
}
