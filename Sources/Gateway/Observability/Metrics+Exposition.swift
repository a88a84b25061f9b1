internal import Base
internal import KlingAPI
internal import TaskStore

extension Metrics {
    /// The page that Prometheus reads (text format 0.0.4). It costs a few thousand additions and reads `/proc`, so it
    /// is for the operators' listener, not for every request.
    public func exposition(of sources: MetricsSources = MetricsSources()) -> [UInt8] {
        var writer = ExpositionWriter()
        let totals = totals()
        writeRequests(totals, to: &writer)
        writeUpstreamCalls(totals, to: &writer)
        sources.connections.map { Self.write($0(), to: &writer) }
        sources.bodies.map { Self.write($0(), to: &writer) }
        sources.accounts.map { Self.write($0(), to: &writer) }
        sources.waitingCreates.map {
            writer.single("creates_waiting", .gauge, "Creates that wait for a slot of an upstream account.", $0())
        }
        sources.tasks.map { Self.write($0(), to: &writer) }
        sources.budgets.map { Self.write($0(), to: &writer) }
        sources.store.map { Self.write($0(), to: &writer) }
        sources.deliveries.map { Self.write($0(), to: &writer) }
        sources.hostedPictures.map { Self.write($0(), to: &writer) }
        sources.alerts.map { Self.write($0(), to: &writer) }
        sources.droppedLogLines.map {
            writer.single(
                "log_lines_dropped_total", .counter, "Log lines dropped because the log was not read in time.", $0())
        }
        writeProcess(to: &writer)
        return writer.bytes
    }

    private func writeRequests(_ totals: [UInt64], to writer: inout ExpositionWriter) {
        writer.family("requests_total", .counter, "Requests answered, by route and status.")
        for route in layout.routes {
            let counts = totals[layout.counters(route: route).statuses]
            for (label, count) in zip(StatusSlots.labels, counts) where count > 0 {
                writer.sample([("route", route), ("status", label)], count)
            }
        }
        writer.single(
            "requests_in_flight", .gauge, "Requests that are being answered.",
            Int64(bitPattern: totals[layout.inFlight]))
        writer.family(
            "request_own_duration_seconds", .histogram,
            "Time to the answer, without the wait for an upstream, by route.")
        writeRoutes(totals, to: &writer, \.own)
        writer.family(
            "request_upstream_duration_seconds", .histogram, "Time that requests waited for an upstream, by route.")
        writeRoutes(totals, to: &writer, \.upstream)
        writer.family("received_bytes_total", .counter, "Bytes of heads and bodies received from clients, by route.")
        for route in layout.routes { writer.sample([("route", route)], totals[layout.counters(route: route).received]) }
        writer.family("sent_bytes_total", .counter, "Bytes of heads and bodies sent to clients, by route.")
        for route in layout.routes { writer.sample([("route", route)], totals[layout.counters(route: route).sent]) }
    }

    private func writeRoutes(
        _ totals: [UInt64], to writer: inout ExpositionWriter, _ histogram: (RouteCounters) -> HistogramCounters
    ) {
        for route in layout.routes {
            write(histogram(layout.counters(route: route)), [("route", route)], totals, to: &writer)
        }
    }

    private func writeUpstreamCalls(_ totals: [UInt64], to writer: inout ExpositionWriter) {
        writer.family("upstream_calls_total", .counter, "Calls to upstream accounts, by account, kind and outcome.")
        forEachCall { counters, labels in
            for (label, count) in zip(UpstreamOutcomeSlots.labels, totals[counters.outcomes]) where count > 0 {
                writer.sample(labels + [("outcome", label)], count)
            }
        }
        writer.family("upstream_call_duration_seconds", .histogram, "How long calls took, by account and kind.")
        forEachCall { counters, labels in write(counters.duration, labels, totals, to: &writer) }
    }

    private func forEachCall(_ body: (CallCounters, ExpositionWriter.Labels) -> Void) {
        for account in layout.accounts {
            for kind in UpstreamCallKind.allCases {
                body(layout.counters(account: account, kind: kind), [("account", account), ("kind", kind.rawValue)])
            }
        }
    }

    /// Writes a histogram, unless it is empty.
    private func write(
        _ counters: HistogramCounters, _ labels: ExpositionWriter.Labels, _ totals: [UInt64],
        to writer: inout ExpositionWriter
    ) {
        let counts = Array(totals[counters.counts])
        if counts.allSatisfy({ $0 == 0 }) { return }
        writer.histogram(
            labels, bounds: counters.buckets.seconds, counts: counts, sum: Double(totals[counters.sum]) / 1e9)
    }

    private static func write(_ connections: ConnectionFigures, to writer: inout ExpositionWriter) {
        writer.single("connections_open", .gauge, "Open client connections.", connections.open)
        writer.single("connections_accepted_total", .counter, "Accepted client connections.", connections.accepted)
        writer.family("connections_refused_total", .counter, "Client connections that were refused, by reason.")
        for (reason, count) in connections.refused { writer.sample([("reason", reason)], count) }
        writer.single(
            "connections_closed_for_room_total", .counter, "Idle client connections closed to make room for new ones.",
            connections.closedForRoom)
    }

    private static func write(_ bodies: BodyFigures, to writer: inout ExpositionWriter) {
        writer.single("body_bytes", .gauge, "Bytes reserved for request bodies.", bodies.used)
        writer.single("body_limit_bytes", .gauge, "Bytes that may be reserved for request bodies.", bodies.limit)
        writer.single("bodies_waiting", .gauge, "Request bodies that wait for memory.", bodies.waiting)
    }

    private static func write(_ accounts: [AccountFigures], to writer: inout ExpositionWriter) {
        writer.family("account_state", .gauge, "1 for the state that an upstream account is in, 0 for the others.")
        for account in accounts {
            for state in AccountFigures.State.allCases {
                writer.sample(
                    [("account", account.name), ("state", state.rawValue)], account.state == state ? 1 : 0)
            }
        }
        writer.family(
            "account_out_of_units", .gauge, "1 if Kling says that the account has no units or money left, otherwise 0.")
        for account in accounts { writer.sample([("account", account.name)], account.isOutOfUnits ? 1 : 0) }
        writer.family("account_running_tasks", .gauge, "Tasks that take up an account's concurrency.")
        for account in accounts { writer.sample([("account", account.name)], account.running) }
        writer.family(
            "account_concurrency_limit", .gauge, "Tasks that an account may run at once, if a limit is known.")
        for account in accounts { account.limit.map { writer.sample([("account", account.name)], $0) } }
        writer.family("account_api", .gauge, "1 for the Kling API that is used for the account, 0 for the other.")
        for account in accounts {
            for api in KlingDialect.allCases {
                writer.sample([("account", account.name), ("api", api.rawValue)], account.dialect == api ? 1 : 0)
            }
        }
    }

    private static func write(_ tasks: TaskFigures, to writer: inout ExpositionWriter) {
        writer.single("queue_tasks", .gauge, "Tasks in the queue, including those being sent.", tasks.queued)
        writer.single("queue_bytes", .gauge, "Bytes of the queued tasks' bodies.", tasks.queuedBytes)
        writer.single(
            "queue_oldest_seconds", .gauge, "How long the oldest waiting task has waited.",
            tasks.oldestQueuedSeconds)
        tasks.longestQueuedSeconds.map {
            writer.single("queue_max_age_seconds", .gauge, "How long a task may wait before it fails.", $0)
        }
        writer.single(
            "tasks_flagged", .gauge, "Unfinished tasks that are stuck or whose outcome is unknown.",
            tasks.stuck + tasks.unknown)
        writer.single("tasks_stuck", .gauge, "Unfinished tasks without news from Kling for a day.", tasks.stuck)
        writer.single("tasks_unknown", .gauge, "Unfinished tasks whose outcome is unknown.", tasks.unknown)
        writer.single(
            "creates_attached_total", .counter, "Creates that got the unread answer of an earlier one.",
            tasks.attachedCreates)
    }

    private static func write(_ budgets: [BudgetFigures], to writer: inout ExpositionWriter) {
        writer.family("budget_used_ratio", .gauge, "The share of a tenant's budget that is used.")
        for budget in budgets { writer.sample(budget.labels, budget.usedRatio) }
        writer.family("budget_warn_ratio", .gauge, "The share of a budget from which the operator is warned.")
        for budget in budgets {
            budget.use.budget.warnAtPercent.map { writer.sample(budget.labels, Double($0) / 100) }
        }
    }

    private static func write(_ store: StoreStatistics, to writer: inout ExpositionWriter) {
        writer.single("store_commits_total", .counter, "Transactions committed.", store.commits)
        writer.single("store_failed_transactions_total", .counter, "Transactions that failed.", store.failures)
        writer.family("store_commit_duration_seconds", .histogram, "Duration of a transaction, including its commit.")
        writer.histogram(store.commitSeconds)
        writer.family("store_writes_per_commit", .histogram, "Writes that shared a transaction.")
        writer.histogram(store.writesPerCommit)
        writer.single("store_waiting_writes", .gauge, "Writes that wait for a transaction.", store.waitingWrites)
        writer.single("store_waiting_reads", .gauge, "Reads that wait for a thread.", store.waitingReads)
        writer.single("store_log_bytes", .gauge, "Bytes in the write-ahead log.", store.logBytes)
    }

    private static func write(_ deliveries: DeliveryFigures, to writer: inout ExpositionWriter) {
        writer.family("callback_attempts_total", .counter, "Attempts to call clients back, by outcome.")
        for (outcome, count) in [
            ("delivered", deliveries.delivered), ("retry", deliveries.retried), ("gave_up", deliveries.gaveUp),
        ] { writer.sample([("outcome", outcome)], count) }
        writer.single(
            "callbacks_running", .gauge, "Attempts to call clients back that are in flight.", deliveries.running)
        writer.single("callbacks_due", .gauge, "Callbacks that were due when the outbox was last read.", deliveries.due)
    }

    private static func write(_ pictures: HostedPictureFigures, to writer: inout ExpositionWriter) {
        writer.single("hosted_pictures", .gauge, "Pictures that are served to Kling.", pictures.count)
        writer.single("hosted_picture_bytes", .gauge, "Bytes of the hosted pictures.", pictures.bytes)
    }

    private static func write(_ alerts: AlertCounts, to writer: inout ExpositionWriter) {
        writer.family("alerts_raised", .gauge, "Alerts that are raised, by kind.")
        for (kind, count) in alerts.raised { writer.sample([("alert", kind)], count) }
        writer.family("alert_messages_total", .counter, "Alerts sent to the operator's webhook, by outcome.")
        writer.sample([("outcome", "delivered")], alerts.delivered)
        writer.sample([("outcome", "lost")], alerts.lost)
    }

    private func writeProcess(to writer: inout ExpositionWriter) {
        let process = ProcessFigures.current()
        writer.single(
            "process_cpu_seconds_total", .counter, "CPU time used, user and system.", process.processorSeconds)
        process.residentBytes.map {
            writer.single("process_resident_memory_bytes", .gauge, "Resident memory.", $0)
        }
        process.openDescriptors.map { writer.single("process_open_fds", .gauge, "Open file descriptors.", $0) }
        writer.single("process_max_fds", .gauge, "The limit on open file descriptors.", process.descriptorLimit)
        writer.single(
            "process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.", startedAt)
        writer.family("build_info", .gauge, "Always 1. The label has the version.")
        writer.sample([("version", version)], 1)
    }
}

extension BudgetFigures {
    fileprivate var labels: ExpositionWriter.Labels {
        [("tenant", tenant), ("metric", "\(use.budget.metric)"), ("period", "\(use.budget.period)")]
    }
}

extension ExpositionWriter {
    fileprivate mutating func histogram(_ histogram: Histogram) {
        self.histogram(bounds: histogram.bounds, counts: histogram.counts, sum: histogram.sum)
    }
}
