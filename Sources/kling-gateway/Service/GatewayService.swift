internal import Base
internal import EventLoop
internal import Gateway
internal import GatewayConfiguration
internal import HTTPServer
internal import KlingAPI
internal import Logging
internal import TaskStore

/// A whole gateway, assembled from its configuration: loops, store, access, upstream, and the two listeners.
final class GatewayService: Sendable {
    private struct Bound {
        var clients: [SocketAddress] = []
        var operators: [SocketAddress] = []
    }

    private let bound = Lock(Bound())
    private let configuration: Configuration
    private let base: ServiceResources
    private let upstream: HTTPUpstream
    private let receivers: HTTPCallbackSender
    private let pictures: HTTPPictureSource
    private let gateway: ClientService
    private let server: HTTPServer
    private let admin: HTTPServer
    private let alerts: AlertService
    private let isDraining = Lock(false)
    private let watch: Task<Void, Never>
    private let logger: Logger

    /// Starts a gateway.
    /// - Throws: an error with a message for the operator. By then everything is released: another may be started.
    static func start(_ configuration: Configuration, log: LogOutput) async throws -> GatewayService {
        let descriptors = try configuration.divideDescriptors(log.logger)
        let base = try ServiceResources(configuration)
        do {
            let service = try await GatewayService(configuration, base, descriptors, log: log)
            try await service.listen()
            return service
        } catch {
            await base.close()
            throw error
        }
    }

    /// Assembles a gateway, which does nothing before ``listen()``.
    private init(
        _ configuration: Configuration, _ base: ServiceResources, _ descriptors: DescriptorPlan, log: LogOutput
    ) async throws {
        let logger = log.logger
        (self.configuration, self.logger) = (configuration, logger)
        self.base = base
        let (store, loops) = (base.store, base.loops)
        upstream = try HTTPUpstream(loops: loops, descriptors.pools)
        receivers = try HTTPCallbackSender(
            loops: [loops[0]], descriptors.pools, allowing: configuration.allowed.callbacks)
        pictures = HTTPPictureSource(loops: loops, descriptors.pools, allowing: configuration.allowed.fetch)
        let vault = try await configuration.servingVault(store)
        let clock = GuardedClock()
        let access = Access(
            staticKeys: configuration.keys.map(\.staticKey), keys: store.keys, vault: vault, clock: Access.Clock(clock))
        try await access.load()
        let accounts = Accounts(configuration.upstreams.map(\.account))
        let metrics = configuration.makeMetrics()
        let telemetry = Telemetry(metrics: metrics, logger: logger, accessLog: log.access)
        let budget = ByteBudget(capacity: configuration.server.limits.bufferedBytes)
        let delivery = CallbackDelivery(
            loop: loops[0], store: store.outbox, sender: receivers,
            secrets: WebhookSecrets(keys: store.keys, vault: vault), observer: telemetry,
            policy: CallbackDelivery.Policy(userAgent: callbackUserAgent), clock: clock,
            isOwner: { store.replicas?.isOwner ?? true })
        var parts = ClientService.Parts(
            access: access, accounts: accounts, store: store, upstream: upstream, telemetry: telemetry, loop: loops[0],
            callbackTokens: CallbackTokens(vault), budget: budget)
        (parts.callbackDelivery, parts.pictures, parts.clock) = (delivery, pictures, clock)
        try configuration.complete(&parts)
        gateway = ClientService(options: configuration.gatewayOptions(log), parts)
        let notice: @Sendable (HTTPServerNotice) -> Void = { logger.notice("server", metadata: ["notice": "\($0)"]) }
        server = HTTPServer(
            configuration: try configuration.serverConfiguration(descriptors), loops: loops, budget: budget,
            service: gateway, log: notice)
        let readiness = Readiness(
            store: store, access: access, accounts: accounts, loop: loops[0],
            isDraining: { [isDraining] in isDraining.withLock { $0 } }, logger: logger)
        var sources = MetricsSources(
            server: server, budget: budget, budgetBytes: configuration.server.limits.bufferedBytes,
            accounts: accounts, store: store, gateway: gateway, delivery: delivery,
            droppedLogLines: { log.droppedLines })
        alerts = try AlertService(
            configuration.alerts, loop: loops[0], sources: sources, metrics: metrics, logger: logger)
        sources.alerts = { [monitor = alerts.monitor] in monitor.counts }
        let live = LiveGateway(gateway: gateway, readiness: readiness)
        let api = AdminAPI(
            configuration.adminParts(store, vault: { vault }, callbacks: receivers, live: live))
        admin = HTTPServer(
            configuration: try configuration.adminConfiguration(descriptors), loops: [loops[0]],
            budget: Configuration.adminBudget,
            service: configuration.operators(readiness, metrics, sources, api), log: notice)
        watch = Self.refresh(access, live.activity, on: loops[0])
    }

    /// Where clients are served: the addresses that were bound.
    var addresses: [SocketAddress] { bound.withLock { $0.clients } }
    /// Where operators are served.
    var adminAddresses: [SocketAddress] { bound.withLock { $0.operators } }

    private func listen() async throws {
        do {
            try await gateway.start()
            let clients = try await server.start(as: "listen")
            let operators = try await admin.start(as: "admin.listen")
            bound.withLock { $0 = Bound(clients: clients, operators: operators) }
            alerts.monitor.start()
        } catch {
            await server.shutdown(grace: .zero)
            await admin.shutdown(grace: .zero)
            await end(by: .now)
            throw error
        }
    }

    /// Makes `access` look for changed keys and save when keys were used, and samples `activity`, until the returned task is cancelled.
    private static func refresh(
        _ access: Access, _ activity: Activity, on loop: EventLoop
    ) -> Task<Void, Never> {
        loop.spawn {
            var rounds = 0
            while (try? await loop.sleep(for: .milliseconds(500))) != nil {
                await access.refresh()
                rounds += 1
                if rounds % 10 == 0 { activity.sample() }
                // What cannot be saved is a time to within a minute, which the next use makes anew.
                if rounds % 60 == 0 { try? await access.saveUses() }
            }
            try? await access.saveUses()
        }
    }

    /// The loop on which signals are watched.
    var signalLoop: EventLoop { base.loops[0] }

    /// Stops the service: it accepts no new connections, and everything durable is on disk when this returns.
    /// Exchanges, creates whose clients have left, and callbacks in flight share one grace period, so that stopping
    /// takes a second or so more than that and the delay.
    func stop() async {
        isDraining.withLock { $0 = true }
        logger.notice("stopping")
        try? await signalLoop.sleep(for: configuration.server.shutdown.delay)
        let deadline = MonotonicTime.now + configuration.server.shutdown.grace
        await server.shutdown(grace: configuration.server.shutdown.grace)
        await admin.shutdown(grace: .seconds(1))
        await finishCreates(until: deadline)
        await end(by: deadline)
        await base.store.close()
        logger.notice("stopped")
    }

    /// Ends the work that needs no connection.
    private func end(by deadline: MonotonicTime) async {
        await alerts.stop()
        await gateway.stop(by: deadline)
        watch.cancel()
        await watch.value
        upstream.shutdown()
        receivers.shutdown()
        pictures.shutdown()
    }

    /// Waits for open creates, which outlive their clients' connections.
    private func finishCreates(until deadline: MonotonicTime) async {
        while gateway.openCreates > 0, MonotonicTime.now < deadline {
            try? await signalLoop.sleep(for: .milliseconds(20))
        }
        if gateway.openCreates > 0 {
            logger.error("creates were cut off: their tasks may exist", metadata: ["creates": "\(gateway.openCreates)"])
        }
    }
}

/// Why the service cannot start, for the operator.
struct ServiceError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
