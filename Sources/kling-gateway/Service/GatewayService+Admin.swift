internal import Base
internal import EventLoop
internal import Gateway
internal import GatewayConfiguration
internal import HTTPServer
internal import Logging
internal import TaskStore

/// What operators see: readiness and figures.
extension Readiness {
    /// A gateway is ready if it is not stopping, its store can read and write, it can look up keys, and it has ever
    /// reached one of its accounts.
    convenience init(
        store: any TaskStore, access: Access, accounts: Accounts, loop: EventLoop,
        isDraining: @escaping @Sendable () -> Bool, logger: Logger
    ) {
        self.init(
            [
                HealthCheck(name: "store") { try await store.check() },
                HealthCheck(name: "keys") {
                    if await !access.refresh() { throw ServiceError("the store's keys cannot be read") }
                },
                HealthCheck(name: "accounts") {
                    // A probe waits until an account is reached or all have been checked.
                    while accounts.reachability == .unknown { try await loop.sleep(for: .milliseconds(20)) }
                    if accounts.reachability == .none { throw ServiceError("no account has ever been reached") }
                },
                HealthCheck(name: "serving") { if isDraining() { throw ServiceError("the gateway is stopping") } },
            ],
            onChange: { change in
                logger.warning(
                    "readiness has changed",
                    metadata: [
                        "check": "\(change.name)", "outcome": "\(change.outcome)",
                        "reason": "\(change.error.map { "\($0)" } ?? "-")",
                    ])
            })
    }
}

extension Configuration {
    /// The memory for bodies that operators send: one with two pictures, and others beside it.
    static var adminBudget: ByteBudget { ByteBudget(capacity: 72 << 20, share: 68 << 20) }

    /// What the administration API works with, in a gateway or in a command.
    /// - Parameter live: what only a gateway that serves knows; nil for a command.
    func adminParts(
        _ store: any TaskStore, vault: @escaping @Sendable () async throws -> Vault, callbacks: any CallbackSender,
        live: (any AdminLive)? = nil
    ) -> AdminParts {
        AdminParts(
            store: store, storeIdentity: storeIdentity ?? "", version: Version.number,
            upstreams: upstreams, vault: vault, callbacks: callbacks, userAgent: callbackUserAgent, live: live)
    }

    /// What answers operators.
    func operators(
        _ readiness: Readiness, _ metrics: Metrics, _ sources: MetricsSources, _ api: AdminAPI
    ) -> AdminResponder {
        AdminResponder(
            token: admin.token, hosts: adminHosts, readiness: readiness, metrics: metrics, sources: sources, api: api,
            version: Version.number)
    }

    /// Counters for every route and account.
    func makeMetrics() -> Metrics {
        Metrics(
            routes: Route.allCases.map(\.rawValue), accounts: upstreams.map(\.name),
            version: Version.number)
    }
}

extension MetricsSources {
    /// The figures of a whole gateway.
    init(
        server: HTTPServer, budget: ByteBudget, budgetBytes: Int, accounts: Accounts, store: any TaskStore,
        gateway: ClientService, delivery: CallbackDelivery, droppedLogLines: @escaping @Sendable () -> UInt64
    ) {
        self.init()
        connections = {
            let figures = server.statistics
            return ConnectionFigures(
                open: figures.open,
                accepted: UInt64(figures.accepted + figures.refusedFull + figures.refusedForAddress),
                refused: [
                    ("full", UInt64(figures.refusedFull)), ("full_for_address", UInt64(figures.refusedForAddress)),
                ],
                closedForRoom: UInt64(figures.closedForRoom))
        }
        bodies = { BodyFigures(used: budget.used, limit: budgetBytes, waiting: budget.waiting) }
        self.accounts = { accounts.figures() }
        waitingCreates = { accounts.waiting }
        tasks = { gateway.taskFigures }
        budgets = { gateway.budgetFigures }
        self.store = { store.statistics }
        deliveries = { delivery.figures }
        hostedPictures = { gateway.hostedPictureFigures }
        self.droppedLogLines = droppedLogLines
    }
}
