public import Base
public import EventLoop
public import HTTPServer
public import KlingAPI
public import TaskStore

/// The product: answers clients in Kling's shape, with what Kling says.
///
/// The checks come in a fixed order, and the first that fails answers: syntax (the server's), route, method, key, body
/// size, rate, memory, body, members.
public struct Gateway: HTTPResponder {
    /// What it is told to do.
    public struct Options: Sendable {
        /// The most bytes of a body.
        public var bodyLimit = 32 << 20
        /// The models that a create may name.
        public var models = TryOnModels.documented
        /// How old what is said of an unfinished task may be.
        public var freshness: Duration = .seconds(1)
        /// Finished and running tasks kept in memory, about.
        public var cachedTasks = 8192
        /// Proxies whose `X-Forwarded-For` is believed.
        public var trustedProxies: [CIDR] = []
        /// How long a create waits for a free account before it is queued.
        public var dispatchWait: Duration = .seconds(1)
        /// What may wait in the queue; nil: there is none.
        public var queue: QueueBounds?
        /// What clients and Kling reach the gateway by; nil: Kling isn't given a callback address.
        public var publicURL: String?
        /// How long records are kept.
        public var retention = Retention()

        /// The defaults.
        public init() {}
    }

    /// What it works with.
    public struct Parts: Sendable {
        let access: Access
        let accounts: Accounts
        let store: any TaskStore
        let upstream: any KlingUpstream
        let telemetry: Telemetry
        let loop: EventLoop
        let callbackTokens: CallbackTokens
        let budget: ByteBudget
        /// Delivers callbacks to clients; nil: none are delivered.
        public var courier: Courier?
        /// Keeps the bodies of queued creates; nil: there is no queue.
        public var spool: Spool?
        /// The secrets with which accounts sign their callbacks, by name.
        public var webhookSecrets: [String: Secret] = [:]

        /// Names what a gateway cannot do without.
        /// - Parameters:
        ///   - loop: where the work is done that no client waits for.
        ///   - budget: what bodies may take up of the memory.
        public init(
            access: Access, accounts: Accounts, store: any TaskStore, upstream: any KlingUpstream,
            telemetry: Telemetry, loop: EventLoop, callbackTokens: CallbackTokens, budget: ByteBudget
        ) {
            self.access = access
            self.accounts = accounts
            self.store = store
            self.upstream = upstream
            self.telemetry = telemetry
            self.loop = loop
            self.callbackTokens = callbackTokens
            self.budget = budget
        }
    }

    let options: Options
    let access: Access
    let limiter = RateLimiter()
    let tasks: TryOnTasks
    private let telemetry: Telemetry
    private let inbound: InboundCallbacks

    /// Puts the gateway together. Nothing happens before ``start()``.
    public init(options: Options, _ parts: Parts) {
        self.options = options
        access = parts.access
        telemetry = parts.telemetry
        var queue: TaskQueue?
        if let bounds = options.queue, let spool = parts.spool {
            queue = TaskQueue(bounds, spool: spool, budget: parts.budget, loop: parts.loop)
        }
        tasks = TryOnTasks(
            options: TryOnTasks.Options(
                freshness: options.freshness, dispatchWait: options.dispatchWait, publicURL: options.publicURL),
            store: parts.store, caller: KlingCaller(upstream: parts.upstream, observer: telemetry),
            accounts: parts.accounts, queue: queue, courier: parts.courier, callbackTokens: parts.callbackTokens,
            cache: TaskCache(capacity: options.cachedTasks / 2), loop: parts.loop)
        inbound = InboundCallbacks(
            tokens: parts.callbackTokens, secrets: parts.webhookSecrets, receiver: CallbackInbox(tasks: tasks))
    }

    /// Takes up what a stop or a crash has left, and begins the work that no client waits for. Serve after that.
    /// - Throws: why the store or the spool cannot be read.
    public func start() async throws {
        try await tasks.recover()
        tasks.watcher.start()
        tasks.courier?.start()
        Upkeep(tasks: tasks, retention: options.retention).start()
    }

    /// Ends the work that no client waits for; what is left undone is found in the store by the next start. Deliveries
    /// under way have until `deadline`. Call it when nothing is served any more.
    public func stop(by deadline: MonotonicTime) async {
        await tasks.watcher.stop()
        await tasks.background.stop()
        await tasks.courier?.stop(grace: max(.zero, deadline - .now))
    }

    /// How many creates are under way at Kling. They go on when their clients have left: whoever stops waits for them.
    public var openCreates: Int { tasks.openCreates.withLock { $0 } }

    /// The tasks that wait, and those that an operator should look at.
    public var taskFigures: TaskFigures {
        var figures = TaskFigures()
        figures.flagged = tasks.flagged.withLock { $0 }
        guard let queue = tasks.queue?.figures else { return figures }
        (figures.queued, figures.queuedBytes) = (queue.tasks, queue.bytes)
        figures.oldestQueuedSeconds = queue.oldest.map { Double(WallClock.milliseconds - $0) / 1000 } ?? 0
        return figures
    }

    // MARK: HTTPResponder

    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        telemetry.began()
        defer { telemetry.ended() }
        let note = ExchangeNote(requestID: RequestID.of(request.headers))
        var response: HTTPResponse
        do {
            response = try await answer(request, note)
        } catch {
            note.cause = error.cause
            response = ErrorAnswer.response(to: error, requestID: note.requestID)
        }
        response.note = note
        // The client has left: its exchange ended before this, without an answer to carry the note.
        if Task.isCancelled { note.hold?.partIsOver() }
        return response
    }

    public func response(to rejection: HTTPRejection) -> HTTPResponse {
        let note = ExchangeNote(requestID: rejection.head.map { RequestID.of($0.headers) } ?? RequestID.made())
        let error = GatewayError(rejection)
        note.cause = error.cause
        var response = ErrorAnswer.response(to: error, requestID: note.requestID)
        response.note = note
        return response
    }

    public func didFinish(_ exchange: HTTPExchange) {
        (exchange.note as? ExchangeNote)?.hold?.partIsOver()
        telemetry.finished(exchange)
    }

    // MARK: The checks, in their order

    private func answer(_ request: HTTPRequest, _ note: ExchangeNote) async throws(GatewayError) -> HTTPResponse {
        guard let match = request.head.withPath({ RouteMatch(path: $0) }) else { throw .unknownPath }
        note.route = match.route
        guard match.route.methods.contains(request.method) else { throw .methodNotAllowed(match.route) }
        if match.route == .callback { return try await callback(match.identifier, request, note) }
        let principal = try await access.principal(of: request)
        try principal.scope.check(ClientAddress(of: request, trusted: options.trustedProxies))
        note.tenant = principal.tenant
        if request.method == .post { try checkBody(request) }
        let idempotent = try await idempotency(of: request, principal)
        // To repeat an answer counts against no limit.
        let limits = idempotent?.known == nil ? try limiter.admitted(principal) : []
        do {
            var response = try await dispatch(request, match, principal, idempotent, note)
            response.headers.append(contentsOf: limits)
            return response
        } catch {
            var error = error
            let isRefusedKey = error.cause == .idempotencyMismatch || error.cause == .idempotencyOpen
            error.headers.append(contentsOf: isRefusedKey ? try limiter.admitted(principal) : limits)
            throw error
        }
    }

    private func dispatch(
        _ request: HTTPRequest, _ match: RouteMatch, _ principal: Principal, _ idempotent: IdempotentRequest?,
        _ note: ExchangeNote
    ) async throws(GatewayError) -> HTTPResponse {
        switch (match.route, request.method) {
        case (.tryOn, .post): try await create(request, principal, idempotent, note)
        case (.tryOn, _): try await list(request, principal, note)
        case (.tryOnTask, _): try await query(match.identifier, request, principal, note)
        case (.callback, _): throw .unknownPath
        }
    }

    /// What can be said of a body before it is read.
    private func checkBody(_ request: HTTPRequest) throws(GatewayError) {
        let length = request.body.declaredLength
        if length == 0, !request.headers.contains("Content-Length") {
            throw GatewayError(.lengthRequired, "The request has no body. Send JSON, with a Content-Length or chunked.")
        }
        if let length, length > options.bodyLimit {
            throw GatewayError(RequestBodyError.tooLarge(limit: options.bodyLimit))
        }
        let types = request.headers.values(of: "Content-Type")
        if types.contains(where: { $0.lowercased().hasPrefix("multipart/") }) {
            throw GatewayError(
                .unsupportedMediaType, "This path reads JSON. Send the pictures as URLs or base64 in JSON.")
        }
        let codings = request.headers.values(of: "Content-Encoding")
        if codings.contains(where: { !$0.isEmpty && $0.lowercased() != "identity" }) {
            throw GatewayError(.unsupportedMediaType, "Content-Encoding is not supported. Send the body uncompressed.")
        }
    }

    // MARK: The routes

    /// Kling's own call: its path's token is its key.
    private func callback(
        _ token: String, _ request: HTTPRequest, _ note: ExchangeNote
    ) async throws(GatewayError) -> HTTPResponse {
        try await inbound.answer(request, token: token, requestID: note.requestID)
    }

    private func idempotency(
        of request: HTTPRequest, _ principal: Principal
    ) async throws(GatewayError) -> IdempotentRequest? {
        guard request.method == .post else { return nil }
        return try await IdempotentRequest(request.headers, tenant: principal.tenant, in: tasks.store)
    }

    private func create(
        _ request: HTTPRequest, _ principal: Principal, _ idempotent: IdempotentRequest?, _ note: ExchangeNote
    ) async throws(GatewayError) -> HTTPResponse {
        let body: Bytes
        do {
            body = try await request.body.collect(limit: options.bodyLimit, owner: principal.tenant)
        } catch {
            throw GatewayError(error)
        }
        var fingerprint: [UInt8] = []
        if let idempotent {
            fingerprint = await IdempotentRequest.fingerprint(.tryOn, body)
            if let answer = try idempotent.replay(fingerprint) {
                return Answer.repeated(answer, requestID: note.requestID)
            }
        }
        let wanted: TryOnRequest
        do {
            wanted = try await TryOnRequest.parse(body, models: options.models)
        } catch {
            throw GatewayError(error)
        }
        try principal.scope.check(model: wanted.model)
        let key = idempotent.map { IdempotencyKey(key: $0.key, fingerprint: fingerprint) }
        let made = try await tasks.create(wanted, for: principal, idempotency: key, note, on: request.loop)
        return Answer.success(made, requestID: note.requestID)
    }

    private func list(
        _ request: HTTPRequest, _ principal: Principal, _ note: ExchangeNote
    ) async throws(GatewayError) -> HTTPResponse {
        let page = try ListParameters(query: request.head.query)
        let listed = try await tasks.list(page, tenant: principal.tenant, note)
        return Answer.success(listed, requestID: note.requestID)
    }

    private func query(
        _ id: String, _ request: HTTPRequest, _ principal: Principal, _ note: ExchangeNote
    ) async throws(GatewayError) -> HTTPResponse {
        let found = try await tasks.query(id, tenant: principal.tenant, note, on: request.loop)
        var response = Answer.success(found.body, requestID: note.requestID)
        if let staleness = found.staleness {
            response.headers.append(
                (name: "x-kling-gateway-stale", value: String(max(1, Int(staleness.seconds.rounded(.up))))))
        }
        return response
    }
}
