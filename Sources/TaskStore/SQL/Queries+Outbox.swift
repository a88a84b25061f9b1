/// The statements for claims, deliveries, unread creates, accounts and the clock mark.
extension Query {
    /// The columns in the order in which ``DeliveryRecord/init(row:)`` reads them.
    private static let deliveryColumns = """
        id, task, tenant, url, body, last, created_at, state, attempts, next_attempt_at, finished_at
        """

    /// Whether no earlier delivery of the task is waiting: a task's deliveries are sent in the order of their rows.
    private static let isFirst = """
        NOT EXISTS (SELECT 1 FROM deliveries AS earlier INDEXED BY deliveries_tasks WHERE earlier.task = deliveries.task
        AND earlier.delivery < deliveries.delivery AND earlier.state = 0)
        """

    /// When the last lease of the task ends; 0 if none is held.
    private static let leaseEnd = """
        coalesce((SELECT max(running.next_attempt_at) FROM deliveries AS running
        WHERE running.task = deliveries.task AND running.leased = 1), 0)
        """

    var claimSQL: String? {
        switch self {
        case .dropOldClaim: "DELETE FROM idempotency_keys WHERE tenant = ?1 AND key = ?2 AND created_at < ?3"
        case .insertClaim:
            "INSERT INTO idempotency_keys (tenant, key, fingerprint, task, created_at) VALUES (?1, ?2, ?3, ?4, ?5)"
        case .claim:
            """
            SELECT fingerprint, task, created_at, status, body FROM idempotency_keys WHERE tenant = ?1 AND key = ?2
            """
        case .openClaim:
            "SELECT claim FROM idempotency_keys WHERE tenant = ?1 AND key = ?2 AND task = ?3 AND status IS NULL"
        case .answerClaim: "UPDATE idempotency_keys SET status = ?2, body = ?3 WHERE claim = ?1"
        case .freeClaim: "DELETE FROM idempotency_keys WHERE claim = ?1"
        case .pruneClaims:
            """
            DELETE FROM idempotency_keys WHERE claim IN (SELECT claim FROM idempotency_keys
            INDEXED BY idempotency_ages WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)
            """
        default: nil
        }
    }

    /// The statements for steps of tasks and for delivery attempts.
    var deliverySQL: String? {
        switch self {
        case .supersedeDeliveries:
            """
            UPDATE deliveries SET state = 2, finished_at = ?2, next_attempt_at = NULL, leased = 0
            WHERE task = ?1 AND state = 0 AND attempts > 0 AND (leased = 0 OR next_attempt_at <= ?2)
            """
        case .insertDelivery:
            """
            INSERT INTO deliveries (id, task, tenant, last, created_at, state, attempts, leased, next_attempt_at, url, body,
            receiver, pause) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, ?5, ?6, ?7, ?8, 0)
            """
        case .claimDelivery:
            """
            UPDATE deliveries SET attempts = attempts + 1, leased = 1, next_attempt_at = ?3 + ?4, pause = ?4
            WHERE id = ?1 AND attempts = ?2 AND next_attempt_at <= ?3 AND \(Self.isFirst)
            """
        case .releaseLeases:
            // A delivery is due later than its pause only if it was scheduled while the clock was ahead.
            """
            UPDATE deliveries SET next_attempt_at = ?1 + CASE WHEN leased = 1 THEN 0 ELSE pause END, leased = 0
            WHERE next_attempt_at IS NOT NULL \(SQLWords.own) AND (leased = 1 OR next_attempt_at > ?1 + pause)
            """
        case .shiftDeliveries:
            // Deliveries that are due both before and after the jump stay as they are: most of a backlog.
            """
            UPDATE deliveries SET next_attempt_at = \(SQLWords.smaller("next_attempt_at + ?1", "?2 + pause"))
            WHERE next_attempt_at > \(SQLWords.smaller("?2", "?2 - ?1")) \(SQLWords.own)
            """
        case .claimedDelivery: "SELECT delivery, task FROM deliveries WHERE id = ?1 AND attempts = ?2 AND leased = 1"
        case .laterDelivery:
            "SELECT 1 FROM deliveries WHERE task = ?2 AND delivery > ?1 AND state = 0"
        case .settleDelivery:
            """
            UPDATE deliveries SET state = ?2, leased = 0, next_attempt_at = ?3, finished_at = ?4, pause = ?5 WHERE delivery = ?1
            """
        case .insertAttempt:
            """
            INSERT INTO delivery_attempts (delivery, attempt, number, started_at, duration, status, failure)
            SELECT ?1, coalesce(max(attempt), 0) + 1, ?2, ?3, ?4, ?5, ?6 FROM delivery_attempts WHERE delivery = ?1
            """
        case .redeliver:
            // The delivery does not overtake an attempt in flight, of this or another delivery of the task.
            """
            UPDATE deliveries SET state = 0, attempts = 0, leased = 0, finished_at = NULL,
            next_attempt_at = \(SQLWords.larger("?2", Self.leaseEnd)),
            pause = \(SQLWords.larger("?2", Self.leaseEnd)) - ?2 WHERE id = ?1
            """
        default: nil
        }
    }

    /// The statements that read and prune the outbox.
    var outboxSQL: String? {
        switch self {
        case .nextTenant:
            """
            SELECT tenant FROM deliveries INDEXED BY deliveries_lanes
            WHERE next_attempt_at IS NOT NULL \(SQLWords.own) AND tenant > ?1 ORDER BY tenant LIMIT 1
            """
        case .nextLane:
            """
            SELECT receiver FROM deliveries INDEXED BY deliveries_lanes
            WHERE next_attempt_at IS NOT NULL \(SQLWords.own) AND tenant = ?1 AND receiver > ?2 ORDER BY receiver LIMIT 1
            """
        case .laneDeliveries:
            """
            SELECT \(Self.deliveryColumns) FROM deliveries INDEXED BY deliveries_lanes
            WHERE tenant = ?2 AND receiver = ?3 AND next_attempt_at <= ?1 \(SQLWords.own) AND \(Self.isFirst)
            ORDER BY next_attempt_at, delivery LIMIT ?4
            """
        case .nextDelivery:
            """
            SELECT next_attempt_at FROM deliveries INDEXED BY deliveries_due
            WHERE next_attempt_at IS NOT NULL \(SQLWords.own) AND \(Self.isFirst) ORDER BY next_attempt_at LIMIT 1
            """
        case .attempts:
            """
            SELECT number, started_at, duration, status, failure FROM delivery_attempts
            WHERE delivery = (SELECT delivery FROM deliveries WHERE id = ?1) ORDER BY attempt
            """
        case .deliveryList: deliveries("")
        case .deliveriesOfTask: deliveries(" AND task IN (\(Self.named("?4", "?5")))")
        case .pruneDeliveries:
            """
            DELETE FROM deliveries WHERE delivery IN
            (SELECT delivery FROM deliveries WHERE finished_at < ?1 ORDER BY finished_at LIMIT ?2)
            """
        default: nil
        }
    }

    private func deliveries(_ condition: String) -> String {
        """
        SELECT \(Self.deliveryColumns) FROM deliveries WHERE (?2 IS NULL OR tenant = ?2)
        AND (?3 IS NULL OR state = ?3)\(condition) ORDER BY delivery DESC LIMIT ?1
        """
    }

    /// The statements for creates whose answers were not read.
    var resendSQL: String? {
        switch self {
        case .unread: "SELECT written_through, tasks FROM unread WHERE server = ?1"
        case .keepUnread:
            """
            INSERT INTO unread (server, written_through, tasks, updated_at)
            VALUES (?1, (SELECT coalesce(max(task), 0) FROM tasks), ?2, ?3)
            ON CONFLICT (server) DO UPDATE SET written_through = excluded.written_through, tasks = ?2, updated_at = ?3
            """
        case .foreignCreates:
            // PostgreSQL only. A process that holds its lock lives.
            """
            SELECT id, task, owner, written_through, unread.tasks, (SELECT count(*) FROM pg_locks
            WHERE locktype = 'advisory' AND classid = \(PostgresReplica.lockClass) AND objid = owner AND granted)
            FROM tasks LEFT JOIN unread ON server = owner::text WHERE tenant = ?1 AND content = ?2 AND created_at >= ?3
            AND owner <> \(PostgresDialect.replica) ORDER BY task DESC LIMIT 8
            """
        case .rivals:
            // PostgreSQL only.
            """
            SELECT count(*) FROM tasks WHERE tenant = ?1 AND content = ?2 AND created_at >= ?3 AND task > ?4
            AND owner <> \(PostgresDialect.replica)
            """
        case .forgetContent: "UPDATE tasks SET content = NULL WHERE id = ?1"
        case .createsAfter:
            "SELECT \(Self.columns) FROM tasks WHERE task > ?1 AND content IS NOT NULL \(SQLWords.own) ORDER BY task DESC LIMIT ?2"
        default: nil
        }
    }

    var accountSQL: String {
        switch self {
        case .accounts:
            """
            SELECT name, disabled_by, reason, refused_models, learned_limit, has_lookup, updated_at, has_unique_ids,
            identity, api, was_reached, trouble, \(SQLWords.isForeign) FROM accounts ORDER BY name
            """
        case .keepAccount:
            """
            INSERT INTO accounts (name, disabled_by, reason, refused_models, learned_limit, has_lookup,
            updated_at, has_unique_ids, identity, api, was_reached, trouble)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            ON CONFLICT (name) DO UPDATE SET disabled_by = ?2, reason = ?3, refused_models = ?4, learned_limit = ?5,
            has_lookup = ?6, updated_at = ?7, has_unique_ids = ?8, identity = ?9, api = ?10, was_reached = ?11,
            trouble = ?12
            """
        case .clockMark: "SELECT time FROM clock_mark"
        case .keepClockMark: "INSERT INTO clock_mark VALUES (1, ?1) ON CONFLICT (mark) DO UPDATE SET time = ?1"
        case .masterKeyMark: "SELECT digest FROM master_key_mark"
        case .keepMasterKeyMark:
            "INSERT INTO master_key_mark VALUES (1, ?1) ON CONFLICT (mark) DO UPDATE SET digest = ?1"
        default: preconditionFailure("a statement without a text")
        }
    }
}
