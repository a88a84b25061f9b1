internal import Base
internal import EventLoop
internal import KlingAPI
internal import Pictures
internal import TaskStore

/// Makes the body that an account is sent for a request. Some accounts need converted pictures, or take only links.
/// For all others this costs nothing.
final class UpstreamBodies: Sendable {
    private let accounts: Accounts
    /// The address at which clients and Kling reach the gateway; nil: Kling gets no callback address.
    private let publicURL: String?
    private let callbackTokens: CallbackTokens
    /// Converts pictures; nil: they are sent as they are.
    private let pictures: PictureService?
    /// Serves pictures to Kling; nil: no pictures are hosted.
    private let hosted: (any PictureHost)?
    private let observer: any GatewayObserver

    init(
        accounts: Accounts, publicURL: String?, callbackTokens: CallbackTokens, pictures: PictureService?,
        hosted: (any PictureHost)?, observer: any GatewayObserver
    ) {
        (self.accounts, self.publicURL, self.callbackTokens) = (accounts, publicURL, callbackTokens)
        (self.pictures, self.hosted, self.observer) = (pictures, hosted, observer)
    }

    /// The body for Kling's older API, unless an account needs something else.
    /// - Parameter ownID: the id as text.
    func usual(_ request: TryOnRequest, _ id: TaskID, _ ownID: String) -> [ByteSlice] {
        request.upstreamBody(externalTaskID: ownID, callbackURL: callbackURL(of: id))
    }

    /// The address that Kling calls for a task; nil: none.
    private func callbackURL(of id: TaskID) -> String? {
        publicURL.map { callbackTokens.url(publicURL: $0, task: id) }
    }

    // MARK: Bodies

    /// The body that a destination is sent for a request, with this id.
    func body(
        of request: TryOnRequest, _ id: TaskID, _ tenant: String, for destination: Destination
    ) async throws(GatewayError) -> [ByteSlice] {
        let parcel = PendingRequest(request: request, id: id, tenant: tenant)
        return try await body(of: parcel, for: destination) ?? usual(request, id, id.description)
    }

    /// The body that a destination is sent for a create, if that is the usual one; nil: it has to be made.
    /// - Throws: ``Cause/badParameter`` if the account can never be sent this request.
    func usualBody(of create: Create, for destination: Destination) throws(GatewayError) -> [ByteSlice]? {
        try isSentAsItIs(create.request, to: destination) ? create.body : nil
    }

    /// The body that a destination is sent for a create.
    func body(of create: Create, for destination: Destination) async throws(GatewayError) -> [ByteSlice] {
        if try isSentAsItIs(create.request, to: destination) { return create.body }
        let parcel = PendingRequest(
            request: create.request, id: create.id, tenant: create.principal.tenant)
        return try await body(of: parcel, for: destination) ?? create.body
    }

    /// The body that a destination is sent for a queued task, made from the `body` in the spool.
    func body(
        _ body: [ByteSlice], of entry: QueuedTask, for destination: Destination
    ) async throws(GatewayError) -> [ByteSlice] {
        guard let block = body.first?.bytes else { return body }
        let request: TryOnRequest
        do {
            request = try await TryOnRequest.parse(block, models: TryOnModels(adding: [entry.model]))
        } catch {
            if error == .noMemory { throw GatewayError(error) }
            // It was checked before it was queued, perhaps by an older version, which was less strict.
            if destination.dialect.adapter.takesFiles { return body }
            throw GatewayError(error)
        }
        let parcel = PendingRequest(request: request, id: entry.task, tenant: entry.tenant)
        return try await self.body(of: parcel, for: destination) ?? body
    }

    /// A request that is about to be sent.
    private struct PendingRequest {
        let request: TryOnRequest
        let id: TaskID
        let tenant: String
    }

    /// - Returns: nil if the request can be sent as it is.
    /// - Throws: ``Cause/badParameter`` if the account can never be sent this request.
    private func body(of parcel: PendingRequest, for destination: Destination) async throws(GatewayError)
        -> [ByteSlice]?
    {
        if try isSentAsItIs(parcel.request, to: destination) { return nil }
        let (adapter, account) = (destination.dialect.adapter, destination.account)
        if !adapter.takesFiles { return try await linked(parcel, account) }
        if account.normalizesPictures { return try await normalized(PictureField.allCases, parcel) }
        return try await normalized(
            PictureField.allCases.filter { Self.needsWork($0, of: parcel.request, for: adapter) }, parcel)
    }

    /// Whether a destination is sent a request unchanged, as nearly all are.
    /// - Throws: ``Cause/badParameter`` if the account can never be sent this request.
    private func isSentAsItIs(_ request: TryOnRequest, to destination: Destination) throws(GatewayError) -> Bool {
        let adapter = destination.dialect.adapter
        try adapter.check(request)
        return adapter.takesFiles && !destination.account.normalizesPictures
            && !Self.needsWork(.human, of: request, for: adapter)
            && !Self.needsWork(.cloth, of: request, for: adapter)
    }

    private static func needsWork(
        _ field: PictureField, of request: TryOnRequest, for adapter: any UpstreamDialect
    ) -> Bool {
        request.fileFormat(field).map { !adapter.takesFile(in: $0) } ?? false
    }

    /// - Returns: nil if the pictures can stay as they are.
    private func normalized(
        _ fields: [PictureField], _ parcel: PendingRequest
    ) async throws(GatewayError) -> [ByteSlice]? {
        let replacements = try await pictures?.replacements(
            for: fields, of: parcel.request, tenant: parcel.tenant)
        guard let replacements, replacements.human != nil || replacements.cloth != nil else { return nil }
        return parcel.request.upstreamBody(
            externalTaskID: parcel.id.description, callbackURL: callbackURL(of: parcel.id), replacements: replacements)
    }

    // MARK: Requests that no account takes

    /// Why no account can ever take a request, without decoding its pictures; nil if an account may.
    func refusal(of request: TryOnRequest, excluding: Set<String>) -> GatewayError? {
        var first: GatewayError?
        for account in accounts.all where !excluding.contains(account.name) {
            let destination = Destination(account)
            for destination in [destination, destination.alternative].compactMap({ $0 }) {
                guard let refusal = refusal(of: request, at: destination) else { return nil }
                first = first ?? refusal
            }
        }
        return first
    }

    private func refusal(of request: TryOnRequest, at destination: Destination) -> GatewayError? {
        let adapter = destination.dialect.adapter
        do {
            try adapter.check(request)
        } catch {
            return error
        }
        if adapter.takesFiles { return nil }
        for field in PictureField.allCases {
            guard let (width, height) = request.fileSize(field) else { continue }
            if hosted == nil || publicURL == nil { return Self.noLink(to: field) }
            let least = PictureLimits.solutions.minSide
            if min(width, height) < least {
                let defect = PictureDefect.tooShort(width: width, height: height, moreThan: least - 1)
                return .badPicture(field.rawValue, defect.description)
            }
        }
        return nil
    }

    private static func noLink(to field: PictureField) -> GatewayError {
        GatewayError(
            .badParameter,
            "\(field.rawValue) is a file, and Kling takes only URLs. Send an http(s) URL; the gateway serves files to "
                + "Kling once its operator sets public_url.", parameter: field.rawValue)
    }

    // MARK: Links

    private func linked(_ parcel: PendingRequest, _ account: Account) async throws(GatewayError) -> [ByteSlice] {
        let body = parcel.request.solutionsBody(
            externalTaskID: parcel.id.description, callbackURL: callbackURL(of: parcel.id),
            humanURL: try await link(.human, parcel, account), clothURL: try await link(.cloth, parcel, account))
        return [ByteSlice(Bytes(body), 0..<body.count)]
    }

    /// The URL from which Kling fetches a picture: the client's own, or one of the gateway's.
    private func link(_ field: PictureField, _ parcel: PendingRequest, _ account: Account) async throws(GatewayError)
        -> String
    {
        let url = parcel.request.pictureURL(field)
        if let url, !account.normalizesPictures { return url }
        guard let hosted, let pictures, let base = publicURL else {
            if let url { return url }
            throw Self.noLink(to: field)
        }
        guard let file = try await pictures.fileToHost(field, of: parcel.request, parcel.tenant) else {
            return url ?? ""
        }
        defer { withExtendedLifetime(file.lease) {} }
        do {
            return try await hosted.host(file.bytes, format: file.format, for: parcel.id).url(publicURL: base)
        } catch {
            throw GatewayError(hosting: error, observer)
        }
    }
}
