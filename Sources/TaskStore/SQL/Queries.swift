/// Every statement that runs more than once, so that a connection compiles each of them once.
enum Query: Int, CaseIterable {
    case begin, commit, savepoint, release, rollback, dataVersion, probe
    case insertTask, insertWholeTask, lastRow, taskByID, taskToChange, lock, transaction, fence, announceTask, replicas,
        rate, keepRate,
        runningOfAccount,
        runningOfKey, runningOfTenant, runningElsewhere, lastNumber, assignTask, advanceTask, nameTask,
        endTask, rewriteTask, pruneTasks
    case taskByPublicID, taskByExternalID, taskByReleasedID, taskByUpstreamID, page, pageBytes, slice, sliceBytes
    case unfinished, taskList, unfinishedList, tasksNamed
    case insertKey, keys, changeKey, replaceSecrets, revokeKey, keyByID, keyVersion, insertTenant, rotateTenant, tenant
    case insertPreviousSecrets, previousSecrets, endPreviousSecrets, noteKeyUse
    case tenantRules, keepTenantRules, budgets, budgetsOf, dropBudgets, insertBudget, tenantNames
    case addUsage, usageTimes, usageOnDay, usageOnDays, unfinishedUsage, firstUsageDay, lastUsageDay, insertAudit,
        audit, auditOf
    case dropOldClaim, insertClaim, claim, openClaim, answerClaim, freeClaim, pruneClaims
    case supersedeDeliveries, insertDelivery, nextDelivery, claimDelivery, claimedDelivery
    case releaseLeases, shiftDeliveries, nextTenant, nextLane, laneDeliveries, laterDelivery, settleDelivery,
        insertAttempt, attempts, redeliver
    case deliveryList, deliveriesOfTask, pruneDeliveries
    case accounts, keepAccount, unread, keepUnread, createsAfter, foreignCreates, rivals, forgetContent, clockMark,
        keepClockMark
    case masterKeyMark, keepMasterKeyMark, redoMark, keepRedoMark
    case insertJob, runningJobs, jobByNumber, jobTasks, jobList, jobListBytes, latestJob, leaveJob, deleteJob, pruneJobs

    /// The columns in the order in which ``TaskRecord/init(row:)`` reads them. The row's number, `task`, is the 23rd.
    static let columns = """
        id, tenant, account, external_task_id, model, callback_url, created_at, state, flags, number, public_id,
        upstream_id, status_word, answer, released, updated_at, finished_at, key_id, idempotency_key, payload, job,
        job_index, task, account_identity, content, api, shape, day, units, cash, currency, bytes, \(SQLWords.isForeign)
        """

    private static let progress = "state = ?2, flags = ?3, status_word = ?4, answer = ?5, updated_at = ?6"
    private static let names = "number = ?7, public_id = ?8, upstream_id = ?9"

    private static func charge(_ first: Int) -> String {
        "units = ?\(first), cash = ?\(first + 1), currency = ?\(first + 2)"
    }

    /// The statement in SQL.
    var sql: String {
        switch self {
        case .begin: "BEGIN IMMEDIATE"
        case .commit: "COMMIT"
        // Nothing reads this number in the file's header. SQLite writes its page even if the number stays the same.
        case .probe: "PRAGMA user_version = 0"
        case .savepoint: "SAVEPOINT step"
        case .release: "RELEASE step"
        case .rollback: "ROLLBACK TO step"
        case .dataVersion: "PRAGMA data_version"
        case .redoMark: "SELECT identity, applied FROM redo_mark"
        case .keepRedoMark: "UPDATE redo_mark SET applied = ?1, commits = commits + 1"
        // Held until the transaction ends. PostgreSQL only: SQLite has one lock for all.
        case .transaction: "SELECT pg_current_xact_id()::text"
        case .replicas:
            """
            SELECT number, name, started_at, (SELECT count(*) FROM tasks WHERE owner = replicas.number AND finished_at IS NULL)
            FROM replicas WHERE NOT has_left ORDER BY number
            """
        case .rate:
            """
            SELECT parts, filled_at, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint
            FROM (SELECT 1) AS always LEFT JOIN rates ON name = ?1
            """
        case .keepRate:
            """
            INSERT INTO rates (name, parts, filled_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (name) DO UPDATE SET parts = ?2, filled_at = ?3
            """
        case .runningElsewhere:
            """
            SELECT account, count(*) FROM tasks WHERE finished_at IS NULL AND account <> '' AND created_at >= ?1
            AND owner <> \(PostgresDialect.replica) GROUP BY account
            """
        case .runningOfAccount: running(where: "account = ?1")
        case .runningOfKey: running(where: "tenant = ?1 AND key_id = ?3")
        case .runningOfTenant: running(where: "tenant = ?1")
        case .fence:
            """
            UPDATE commits SET transaction = pg_current_xact_id() WHERE replica = \(PostgresDialect.replica)
            RETURNING transaction::text
            """
        case .announceTask: "SELECT pg_notify('\(PostgresReplica.tasks)', ?1)"
        case .lock: "SELECT pg_advisory_xact_lock(hashtextextended(?1, 0))"
        default:
            taskSQL ?? listSQL ?? keySQL ?? secretSQL ?? ruleSQL ?? usageSQL ?? claimSQL ?? jobSQL ?? deliverySQL
                ?? outboxSQL
                ?? resendSQL
                ?? accountSQL
        }
    }

    /// No update sets an indexed column that stays the same: SQLite would rewrite its index entry.
    private var taskSQL: String? {
        switch self {
        case .insertTask:
            """
            INSERT INTO tasks (id, tenant, account, external_task_id, model, callback_url, created_at, state, flags,
            status_word, released, updated_at, key_id, idempotency_key, job, job_index, account_identity, content,
            api, shape, day, units, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, '', 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
            """
        // A task of which more is known than what `insertTask` writes; see ``TaskRecord/bindWhole(to:)``.
        case .insertWholeTask:
            """
            INSERT INTO tasks (id, tenant, account, model, created_at, released, key_id, account_identity, content,
            api, shape, day, bytes, state, flags, number, public_id, upstream_id, status_word, answer, updated_at,
            units, cash, currency, task)
            VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
            ?22, ?23, ?24)
            """
        case .lastRow: "SELECT max(task) FROM tasks"
        case .taskByID, .taskToChange: "SELECT \(Self.columns) FROM tasks WHERE id = ?1"
        case .lastNumber:
            // Not `max(number)`, for which PostgreSQL reads every task of the tenant if it has planned the statement while
            // there were few.
            "SELECT number FROM tasks WHERE tenant = ?1 AND number IS NOT NULL ORDER BY number DESC LIMIT 1"
        case .assignTask:
            "UPDATE tasks SET account = ?2, updated_at = ?3, account_identity = ?4, api = ?5 WHERE task = ?1"
        case .advanceTask: "UPDATE tasks SET \(Self.progress) WHERE task = ?1"
        case .nameTask: "UPDATE tasks SET \(Self.progress), \(Self.names) WHERE task = ?1"
        case .endTask: "UPDATE tasks SET \(Self.progress), finished_at = ?7, \(Self.charge(8)) WHERE task = ?1"
        case .rewriteTask:
            """
            UPDATE tasks SET \(Self.progress), \(Self.names), released = ?10, finished_at = ?11, account = ?12,
            payload = ?13, account_identity = ?14, api = ?15, \(Self.charge(16)) WHERE task = ?1
            """
        case .pruneTasks:
            """
            DELETE FROM tasks WHERE task IN
            (SELECT task FROM tasks WHERE id < ?3 AND finished_at < ?1 AND job IS NULL ORDER BY id LIMIT ?2)
            """
        default: nil
        }
    }

    private var listSQL: String? {
        switch self {
        case .taskByPublicID:
            "SELECT \(Self.columns) FROM tasks WHERE public_id = ?2 AND tenant = ?1 ORDER BY task DESC LIMIT 1"
        case .taskByExternalID:
            "SELECT \(Self.columns) FROM tasks WHERE tenant = ?1 AND external_task_id = ?2 AND released = 0"
        case .taskByReleasedID:
            """
            SELECT \(Self.columns) FROM tasks INDEXED BY tasks_released WHERE tenant = ?1 AND external_task_id = ?2
            AND released = 1 AND public_id IS NOT NULL ORDER BY task DESC LIMIT 1
            """
        case .taskByUpstreamID:
            """
            SELECT \(Self.columns) FROM tasks INDEXED BY tasks_upstream_ids WHERE upstream_id = ?2
            AND upstream_id <> public_id AND tenant = ?1
            """
        case .page: page(of: Self.columns) + " ORDER BY number DESC"
        // SQLite does not read an answer to get its length.
        case .pageBytes: page(of: "coalesce(sum(length(answer)), 0)")
        case .slice: slice(of: Self.columns)
        case .sliceBytes: "SELECT coalesce(sum(bytes), 0) FROM (\(slice(of: "length(answer) AS bytes"))) AS slice"
        case .unfinished: unfinishedTasks("id > ?1 \(SQLWords.own) ORDER BY id LIMIT ?2")
        case .unfinishedList:
            unfinishedTasks(
                """
                id < ?1 AND (?3 IS NULL OR tenant = ?3) AND (?4 IS NULL OR state = ?4)
                AND (?5 = 0 OR flags & ?5 <> 0) ORDER BY id DESC LIMIT ?2
                """)
        case .taskList:
            """
            SELECT \(Self.columns) FROM tasks
            WHERE id < ?1 AND (?3 IS NULL OR tenant = ?3) AND (?4 IS NULL OR state = ?4) ORDER BY id DESC LIMIT ?2
            """
        case .tasksNamed:
            """
            SELECT \(Self.columns) FROM tasks WHERE id IN (\(Self.named("?1", "?2"))) ORDER BY id DESC LIMIT 100
            """
        default: nil
        }
    }

    private func running(where condition: String) -> String {
        "SELECT count(*) FROM tasks WHERE finished_at IS NULL AND \(condition) AND created_at >= ?2"
    }

    private func page(of columns: String) -> String {
        """
        WITH last(number) AS MATERIALIZED (\(Query.lastNumber.sql))
        SELECT \(columns) FROM tasks
        WHERE tenant = ?1 AND number <= (SELECT number FROM last) - ?2
        AND number > (SELECT number FROM last) - ?2 - ?3
        """
    }

    private func slice(of columns: String) -> String {
        """
        SELECT \(columns) FROM tasks INDEXED BY tasks_numbers WHERE tenant = ?1 AND number IS NOT NULL AND number < ?2
        AND created_at >= ?3 AND created_at < ?4 AND ?5 & (1 << state) <> 0 ORDER BY number DESC LIMIT ?6
        """
    }

    /// Selects the gateway ids of the tasks whose gateway id is `own`, or whose public, upstream or external id is
    /// `text`. External ids are indexed by tenant, so that this reads a whole index: it is for operators alone.
    static func named(_ own: String, _ text: String) -> String {
        """
        SELECT \(own) UNION SELECT id FROM tasks WHERE public_id = \(text)
        UNION SELECT id FROM tasks WHERE upstream_id = \(text) AND upstream_id <> public_id
        UNION SELECT id FROM tasks WHERE external_task_id = \(text)
        """
    }

    private func unfinishedTasks(_ condition: String) -> String {
        "SELECT \(Self.columns) FROM tasks INDEXED BY tasks_unfinished WHERE finished_at IS NULL AND " + condition
    }
}
