public import Base
internal import KlingAPI
public import TaskStore

/// A gateway that serves, as the administration API sees it. Its functions run on the loop of the operators' listener.
public struct LiveGateway: AdminLive {
    private let gateway: ClientService
    private let readiness: Readiness
    /// What the gateway has done in the last hour. Its owner must sample it.
    public let activity: Activity

    /// - Parameter readiness: what `/readyz` reports.
    public init(gateway: ClientService, readiness: Readiness) {
        (self.gateway, self.readiness) = (gateway, readiness)
        activity = Activity { gateway.activityTotals }
    }

    public var accounts: [AccountFigures] { gateway.tasks.accounts.figures() }

    public func overview() async -> AdminOverview {
        return AdminOverview(
            startedAt: gateway.telemetry.metrics.startedAt * 1000, readiness: await readiness.report(),
            activity: activity,
            tasks: gateway.taskFigures, deliveries: gateway.tasks.ledger.callbackDelivery?.figures ?? DeliveryFigures())
    }

    public func tryOn(_ body: Bytes, as tenant: String) async throws(GatewayError) -> TaskID {
        let principal = Principal(
            tenant: tenant, keyID: "console", limits: Principal.Limits(),
            policy: gateway.admission.access.policy(of: tenant))
        return try await gateway.tryOn(body, as: principal)
    }

    public func picture(_ url: String, of tenant: String) async throws(GatewayError) -> Bytes {
        try await gateway.pictures.result(url, tenant: tenant)
    }

    public func follow(_ task: TaskRecord) {
        gateway.tasks.ledger.follow(task)
        if task.state.isFinal { gateway.tasks.ledger.queue?.forget(task.id) }
    }

    public func deliverNow() { gateway.tasks.ledger.callbackDelivery?.kick() }
}

extension ClientService {
    /// Counts of what the gateway has done since its start.
    fileprivate var activityTotals: Activity.Totals {
        var totals = telemetry.metrics.activity
        totals.finished = tasks.ledger.ends.total
        if let deliveries = tasks.ledger.callbackDelivery?.figures {
            totals.failedDeliveries = deliveries.retried + deliveries.gaveUp
        }
        return totals
    }

    /// Makes a task for an operator, as one of a tenant's keys would.
    fileprivate func tryOn(_ body: Bytes, as principal: Principal) async throws(GatewayError) -> TaskID {
        let wanted: TryOnRequest
        do throws(ParameterError) {
            wanted = try await TryOnRequest.parse(body, models: options.models)
        } catch {
            throw GatewayError(error)
        }
        try principal.check(model: wanted.model)
        let request = try await kling.pictures.checked(wanted, tenant: principal.tenant)
        let note = ExchangeNote(requestID: RequestID.made())
        defer { note.end() }
        _ = try await tasks.creates.create(request, for: principal, idempotency: nil, note)
        guard let task = note.task else { throw .internalFault }
        return task
    }
}
