internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Shows how a running gateway is doing.
enum OverviewCalls {
    static let routes = [
        AdminRoute(
            method: .get, path: "/admin/v1/overview", name: "getOverview",
            summary: "Show how the gateway is doing, and what needs the operator.",
            answer: AdminRoute.Answer(description: "The figures.", schema: AdminOverview.schema), handle: overview)
    ]

    /// How many flagged tasks are counted apart.
    private static let mostFlagged = 1000

    private static func overview(_ request: AdminRequest, _ parts: AdminParts) async throws -> AdminReply {
        guard let live = parts.live else { throw AdminError.needsGateway }
        let overview = await live.overview()
        let accounts = try await AccountCalls.accounts(parts)
        let flagged = try await flagged(parts.store)
        let replicas = try await parts.store.replicas?.all() ?? []
        let attention =
            attention(overview, live.accounts, flagged) + (try await budgets(parts.store, at: request.time))
        return .json(
            JSONWriter.object(capacity: 4096) { writer in
                writer.member("version", parts.version)
                writer.member("started_at", Int(overview.startedAt))
                overview.writeReadiness(to: &writer)
                writer.member("requests_per_minute", overview.activity.perMinute(\.requests).last ?? 0)
                writer.object("tasks") { tasks in
                    tasks.member("running", live.accounts.reduce(0) { $0 + $1.running })
                    tasks.member("queued", overview.tasks.queued)
                    tasks.member("unknown", flagged.count { $0.flags.contains(.unknown) })
                    tasks.member("stuck", flagged.count { $0.flags.contains(.stuck) })
                }
                writer.array("accounts") { list in
                    for account in accounts { list.object { account.write(to: &$0) } }
                }
                writer.array("gateways") { list in
                    for replica in replicas {
                        list.object { replica.write(to: &$0, isThis: replica.number == parts.store.replicas?.number) }
                    }
                }
                writer.object("queue") { queue in
                    queue.member("tasks", overview.tasks.queued)
                    queue.member("bytes", overview.tasks.queuedBytes)
                    queue.member("oldest_seconds", Int(overview.tasks.oldestQueuedSeconds))
                }
                writer.object("deliveries") { deliveries in
                    deliveries.member("waiting", overview.deliveries.due + overview.deliveries.running)
                    deliveries.member("failing", overview.failedDeliveries)
                }
                writer.array("attention") { list in
                    for item in attention { list.object { item.write(to: &$0) } }
                }
                overview.writeSeries(to: &writer)
            })
    }

    private static func flagged(_ store: any TaskStore) async throws(StoreError) -> [TaskRecord] {
        try await store.allTasks(TaskFilter(flags: [.stuck, .unknown]), before: nil, limit: mostFlagged)
    }

    private static func attention(
        _ overview: AdminOverview, _ accounts: [AccountFigures], _ flagged: [TaskRecord]
    ) -> [AdminAttention] {
        var items = overview.readiness.outcomes.filter { $0.outcome != .ok }.map { check in
            AdminAttention(
                what: "The gateway is not ready", detail: "The check \(check.name) has \(check.outcome.words).",
                link: "#/")
        }
        for account in accounts where account.state == .disabled || account.state == .unreached {
            let detail =
                account.state == .unreached
                ? "It has never been reached." : account.reason ?? "Kling does not accept it."
            items.append(
                AdminAttention(
                    what: "The account \(account.name) takes no creates", detail: detail, link: "#/"))
        }
        if !flagged.isEmpty {
            items.append(
                AdminAttention(
                    what: "\(flagged.count) tasks need a decision",
                    detail: "They are stuck, or it is unknown whether Kling has them.", link: "#/tasks?attention=true"))
        }
        let failed = overview.failedDeliveries
        if failed > 0 {
            items.append(
                AdminAttention(
                    what: "Callbacks are failing", detail: "\(failed) attempts have failed in the last ten minutes.",
                    link: "#/callbacks?state=waiting"))
        }
        return items
    }

    /// The budgets that have passed the share from which on operators are warned.
    private static func budgets(_ store: any TaskStore, at now: Int64) async throws(StoreError) -> [AdminAttention] {
        var items: [AdminAttention] = []
        for rules in try await store.keys.tenantRules() where rules.budgets.contains(where: { $0.warnAtPercent != nil })
        {
            let zone = DayZone.named(rules.timeZone) ?? .utc
            for use in try await store.usage.budgets(of: rules.name, on: zone.day(of: now)) {
                let limit = use.budget.limit(at: now)
                guard let warning = use.budget.warnAtPercent, use.used * 100 >= limit * Int64(warning) else { continue }
                items.append(
                    AdminAttention(
                        what: "\(rules.name) has used \(limit > 0 ? use.used * 100 / limit : 100) % of a budget",
                        detail: "\(use.budget.text(use.used)) of \(use.budget.text(limit)) \(use.budget.metric) per "
                            + "\(use.budget.period)",
                        link: "#/tenants/\(rules.name)"))
            }
        }
        return items
    }
}

extension ReplicaRecord {
    fileprivate func write(to writer: inout JSONWriter, isThis: Bool) {
        writer.member("number", Int(number))
        writer.member("name", name)
        writer.member("started_at", Int(startedAt))
        writer.member("tasks", Int(tasks))
        writer.member("this", json: (isThis ? "true" : "false").utf8)
    }
}

extension HealthOutcome {
    fileprivate var words: String {
        switch self {
        case .ok: "passed"
        case .failed: "failed"
        case .timedOut: "timed out"
        }
    }
}
