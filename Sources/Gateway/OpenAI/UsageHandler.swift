internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Shows a key its own limits and those of its tenant, what is used and what is left.
struct UsageHandler: Sendable {
    let store: any TaskStore
    let clock: GuardedClock

    func answer(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        let (principal, now) = (admitted.principal, clock.now)
        let zone = principal.policy.zone
        let day = zone.day(of: now)
        let figures: Figures
        do {
            figures = try await Figures(of: principal, on: day, in: store.usage)
        } catch {
            throw GatewayError(error)
        }
        let json = JSONWriter.object { usage in
            usage.member("object", "usage")
            usage.member("tenant", principal.tenant)
            usage.member("time_zone", zone.name)
            usage.object("key") { key in
                key.member("id", principal.keyID)
                Self.write(principal.limits, principal.scope, to: &key)
                Self.write(figures.key, to: &key)
            }
            usage.object("all_keys") { tenant in
                Self.write(principal.policy.limits, principal.policy.scope, to: &tenant)
                Self.write(figures.tenant, to: &tenant)
            }
            usage.array("budgets") { budgets in
                for use in figures.budgets {
                    budgets.object { BudgetView.write(use, in: zone, at: now, to: &$0) }
                }
            }
        }
        return Answer.success(json, requestID: admitted.note.requestID)
    }

    /// What is read from the store: the tenant's budgets, and the tasks of this month.
    private struct Figures {
        var budgets: [BudgetUse]
        var key: UsageRow?
        var tenant: UsageRow?

        init(of principal: Principal, on day: Int, in store: any UsageStore) async throws(StoreError) {
            budgets = try await store.budgets(of: principal.tenant, on: day)
            let month = BudgetPeriod.month.days(around: day)
            var query = UsageQuery(
                days: month.lowerBound...month.upperBound - 1, by: [.key], tenant: principal.tenant)
            key = try await store.report(query, skipping: 0, limit: .max).first { $0.values == [principal.keyID] }
            query.dimensions = []
            tenant = try await store.report(query, skipping: 0, limit: 1).first
        }
    }

    private static func write(_ limits: Principal.Limits, _ scope: Principal.Scope, to writer: inout JSONWriter) {
        writer.member("requests_per_minute", numberOrNull: limits.requestsPerMinute)
        writer.member("concurrency", numberOrNull: limits.concurrency)
        writer.array("models") { models in for model in scope.models { models.string(model) } }
    }

    private static func write(_ row: UsageRow?, to writer: inout JSONWriter) {
        writer.object("this_month") { month in
            month.member("made", Int(row?.made ?? 0))
            month.member("succeeded", Int(row?.succeeded ?? 0))
            month.member("failed", Int(row?.failed ?? 0))
            month.member("running", Int(row?.running ?? 0))
            month.member("units", number: Decimal6.text(row?.units ?? 0))
        }
    }
}
