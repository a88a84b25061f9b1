import KlingAPI
import Testing

@testable import Gateway
@testable import TaskStore

struct MetricsTests {
    private func page(_ metrics: Metrics, _ sources: MetricsSources = MetricsSources()) -> [Substring] {
        String(decoding: metrics.exposition(of: sources), as: UTF8.self).split(separator: "\n")
    }

    private func metrics() -> Metrics {
        Metrics(routes: ["create", "query"], accounts: ["main"], version: "1.0")
    }

    @Test func `an exchange is counted by route and status, with its times and bytes`() {
        let metrics = metrics()
        metrics.exchange(
            route: "create", status: 200, own: .microseconds(80), upstream: .milliseconds(20), received: 10, sent: 20)
        metrics.exchange(route: "create", status: 400, own: .seconds(7), upstream: nil, received: 1, sent: 2)
        let page = page(metrics)
        let own = "kling_gateway_request_own_duration_seconds"
        for line in [
            #"kling_gateway_requests_total{route="create",status="200"} 1"#,
            #"kling_gateway_requests_total{route="create",status="400"} 1"#,
            #"kling_gateway_received_bytes_total{route="create"} 11"#,
            #"kling_gateway_sent_bytes_total{route="create"} 22"#,
            #"\#(own)_bucket{route="create",le="5e-05"} 0"#,
            #"\#(own)_bucket{route="create",le="0.0001"} 1"#,
            #"\#(own)_bucket{route="create",le="5"} 1"#,
            #"\#(own)_bucket{route="create",le="+Inf"} 2"#,
            #"\#(own)_sum{route="create"} 7.00008"#,
            #"\#(own)_count{route="create"} 2"#,
            #"kling_gateway_request_upstream_duration_seconds_count{route="create"} 1"#,
        ] { #expect(page.contains(line[...]), "\(line)") }
    }

    @Test(arguments: [(299, "other"), (0, "other"), (-1, "other"), (Int.max, "other"), (499, "499")])
    func `an unknown status is counted as other`(status: Int, label: String) {
        let metrics = metrics()
        metrics.exchange(route: "query", status: status, own: .zero, upstream: nil, received: 0, sent: 0)
        #expect(page(metrics).contains(#"kling_gateway_requests_total{route="query",status="\#(label)"} 1"#[...]))
    }

    @Test func `an unknown route or account is counted as none`() {
        let metrics = metrics()
        metrics.exchange(route: "/etc", status: 404, own: .zero, upstream: nil, received: 0, sent: 0)
        metrics.upstreamCall(account: "?", kind: .list, outcome: .fault(.timeout), duration: .zero)
        let page = page(metrics)
        #expect(page.contains(#"kling_gateway_requests_total{route="none",status="404"} 1"#))
        #expect(
            page.contains(#"kling_gateway_upstream_calls_total{account="none",kind="list",outcome="timeout"} 1"#))
    }

    @Test(arguments: [
        (UpstreamCallOutcome.code(.ok), "0"), (.code(.concurrencyExceeded), "1303"),
        (.code(KlingCode(rawValue: 4711)), "unknown_code"), (.fault(.unreachable), "unreachable"),
        (.fault(.other), "other"),
    ])
    func `a call is counted by its outcome, from a closed set`(outcome: UpstreamCallOutcome, label: String) {
        let metrics = metrics()
        metrics.upstreamCall(account: "main", kind: .create, outcome: outcome, duration: .seconds(61))
        let line = #"kling_gateway_upstream_calls_total{account="main",kind="create",outcome="\#(label)"} 1"#
        #expect(page(metrics).contains(line[...]))
    }

    @Test func `counts from many threads add up`() async {
        let metrics = metrics()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        metrics.exchangeBegan()
                        metrics.exchange(
                            route: "query", status: 200, own: .zero, upstream: nil, received: 1, sent: 0)
                        metrics.exchangeEnded()
                    }
                    metrics.exchangeBegan()
                }
            }
        }
        let page = page(metrics)
        #expect(page.contains(#"kling_gateway_requests_total{route="query",status="200"} 8000"#))
        #expect(page.contains("kling_gateway_requests_in_flight 8"))
    }

    @Test func `sources appear only if they are set`() {
        var sources = MetricsSources()
        let metrics = metrics()
        #expect(!page(metrics, sources).contains { $0.contains("store") || $0.contains("connections") })
        sources.connections = { ConnectionFigures(open: 3, accepted: 9, refused: [("full", 2)], closedForRoom: 4) }
        sources.store = {
            var figures = StoreStatistics()
            figures.commits = 5
            figures.writesPerCommit.record(3)
            return figures
        }
        let page = page(metrics, sources)
        #expect(page.contains("kling_gateway_connections_open 3"))
        #expect(page.contains(#"kling_gateway_connections_refused_total{reason="full"} 2"#))
        #expect(page.contains("kling_gateway_connections_closed_for_room_total 4"))
        #expect(page.contains("kling_gateway_store_commits_total 5"))
        #expect(page.contains(#"kling_gateway_store_writes_per_commit_bucket{le="2"} 0"#))
        #expect(page.contains(#"kling_gateway_store_writes_per_commit_bucket{le="4"} 1"#))
    }

    @Test func `callback attempts appear by outcome`() {
        var sources = MetricsSources()
        sources.deliveries = {
            var figures = DeliveryFigures()
            (figures.delivered, figures.retried, figures.running, figures.due) = (3, 2, 1, 4)
            return figures
        }
        let page = page(metrics(), sources)
        #expect(page.contains(#"kling_gateway_callback_attempts_total{outcome="delivered"} 3"#))
        #expect(page.contains(#"kling_gateway_callback_attempts_total{outcome="retry"} 2"#))
        #expect(page.contains(#"kling_gateway_callback_attempts_total{outcome="gave_up"} 0"#))
        #expect(page.contains("kling_gateway_callbacks_running 1"))
        #expect(page.contains("kling_gateway_callbacks_due 4"))
    }

    @Test func `hosted pictures appear by count and size`() {
        var sources = MetricsSources()
        sources.hostedPictures = { HostedPictureFigures(count: 2, bytes: 7_000) }
        let page = page(metrics(), sources)
        #expect(page.contains("kling_gateway_hosted_pictures 2"))
        #expect(page.contains("kling_gateway_hosted_picture_bytes 7000"))
    }

    @Test func `every sample belongs to a family that is declared once`() {
        let metrics = metrics()
        metrics.upstreamCall(account: "main", kind: .query, outcome: .code(.ok), duration: .zero)
        let page = page(metrics)
        let families = page.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(Set(families).count == families.count)
        for line in page where !line.hasPrefix("#") {
            var name = line.prefix { $0 != "{" && $0 != " " }
            for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) && !families.contains(name) {
                name = name.dropLast(suffix.count)
            }
            #expect(families.contains(name), "\(line)")
            #expect(name.hasPrefix("kling_gateway_"))
        }
    }

    @Test func `label values and help texts are escaped`() {
        var writer = ExpositionWriter()
        writer.family("x", .gauge, "a \"b\"\\\nc")
        writer.sample([("l", "a\"\\\n}")], 1)
        let expected = #"""
            # HELP kling_gateway_x a "b"\\\nc
            # TYPE kling_gateway_x gauge
            kling_gateway_x{l="a\"\\\n}"} 1

            """#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        (0.25, "0.25"), (3, "3"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"),
    ])
    func `numbers are written as Prometheus reads them`(value: Double, text: String) {
        #expect(ExpositionWriter.text(value) == text)
    }

    @Test func `process figures include memory, CPU time and descriptors`() throws {
        let figures = ProcessFigures.current()
        #expect(try #require(figures.residentBytes) > 1 << 20)
        #expect(try #require(figures.openDescriptors) >= 3)
        #expect(figures.processorSeconds > 0)
        #expect(figures.descriptorLimit > 3)
    }

    @Test func `accounts appear with their state, tasks and limit`() {
        let accounts = Accounts(
            [account("main", concurrency: 3), account("spare")], clock: HandClock())
        _ = accounts.reserve(id(1), model: "m", now: moment(0))
        accounts.settled(id(2), on: "spare", .packUsedUp, now: moment(0))
        var sources = MetricsSources()
        sources.accounts = { accounts.figures(now: moment(0)) }
        sources.waitingCreates = { accounts.waiting }
        let page = page(metrics(), sources)
        for line in [
            #"kling_gateway_account_state{account="main",state="healthy"} 1"#,
            #"kling_gateway_account_state{account="main",state="disabled"} 0"#,
            #"kling_gateway_account_state{account="spare",state="disabled"} 1"#,
            #"kling_gateway_account_running_tasks{account="main"} 0"#,
            #"kling_gateway_account_running_tasks{account="spare"} 1"#,
            #"kling_gateway_account_concurrency_limit{account="main"} 3"#, "kling_gateway_creates_waiting 0",
        ] { #expect(page.contains(line[...]), "\(line)") }
        #expect(!page.contains { $0.hasPrefix(#"kling_gateway_account_concurrency_limit{account="spare"}"#) })
    }

    @Test func `an account out of units is told apart from one that is disabled for another reason`() {
        let accounts = Accounts([account("used-up"), account("locked")], clock: HandClock())
        for (number, name) in [(1, "used-up"), (2, "locked")] {
            _ = accounts.reserve(id(number), model: "m", excluding: accounts.others(than: name), now: moment(0))
        }
        accounts.settled(id(1), on: "used-up", .packUsedUp, now: moment(0))
        accounts.settled(
            id(2), on: "locked", .refusedForNow(.account(.accountAbnormal, reason: "locked")), now: moment(0))
        var sources = MetricsSources()
        sources.accounts = { accounts.figures(now: moment(0)) }
        let page = page(metrics(), sources)
        #expect(page.contains(#"kling_gateway_account_out_of_units{account="used-up"} 1"#))
        #expect(page.contains(#"kling_gateway_account_out_of_units{account="locked"} 0"#))
    }

    @Test func `budgets appear with the share that is used and the share to warn from`() {
        @Sendable func figures(_ tenant: String, _ budget: Budget, used: Int64) -> BudgetFigures {
            BudgetFigures(
                tenant: tenant, use: BudgetUse(budget: budget, used: used, held: 0, days: 0..<1), limit: budget.limit,
                resetsAt: nil)
        }
        var sources = MetricsSources()
        sources.budgets = {
            [
                figures("shop", Budget(.tasks, per: .month, limit: 8, warnAtPercent: 75), used: 6),
                figures("blocked", Budget(.units, per: .total, limit: 0), used: 0),
            ]
        }
        let page = page(metrics(), sources)
        let shop = #"{tenant="shop",metric="tasks",period="month"}"#
        #expect(page.contains("kling_gateway_budget_used_ratio\(shop) 0.75"))
        #expect(page.contains("kling_gateway_budget_warn_ratio\(shop) 0.75"))
        #expect(page.contains(#"kling_gateway_budget_used_ratio{tenant="blocked",metric="units",period="total"} 0"#))
        #expect(!page.contains { $0.hasPrefix(#"kling_gateway_budget_warn_ratio{tenant="blocked""#) })
    }

    @Test func `tasks that need attention appear by what is wrong, and the queue with its longest wait`() {
        var sources = MetricsSources()
        sources.tasks = {
            var figures = TaskFigures()
            (figures.stuck, figures.unknown, figures.longestQueuedSeconds) = (2, 3, 1800)
            return figures
        }
        let page = page(metrics(), sources)
        for line in ["tasks_stuck 2", "tasks_unknown 3", "tasks_flagged 5", "queue_max_age_seconds 1800"] {
            #expect(page.contains("kling_gateway_\(line)"), "\(line)")
        }
    }
}
