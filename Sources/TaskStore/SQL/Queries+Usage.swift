/// The statements of usage and of the audit log.
extension Query {
    var usageSQL: String? {
        switch self {
        case .addUsage:
            """
            INSERT INTO usage (day, tenant, key_id, account, model, outcome, currency, tasks, units, cash, bytes, times)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11)
            ON CONFLICT (day, tenant, key_id, account, model, outcome, currency) DO UPDATE SET tasks = usage.tasks + 1,
            units = usage.units + ?8, cash = usage.cash + ?9, bytes = usage.bytes + ?10, times = ?11
            """
        case .usageTimes:
            """
            SELECT times FROM usage WHERE day = ?1 AND tenant = ?2 AND key_id = ?3 AND account = ?4 AND model = ?5
            AND outcome = ?6 AND currency = ?7
            """
        case .usageOnDay:
            """
            \(Self.usageSums) WHERE day = ?1 AND tenant = ?2
            """
        case .usageOnDays: "\(Self.usageSums) WHERE day >= ?1 AND day < ?2 AND tenant = ?3"
        case .unfinishedUsage:
            """
            SELECT count(*), CAST(coalesce(sum(units), 0) AS BIGINT) FROM tasks INDEXED BY tasks_unfinished WHERE finished_at IS NULL
            AND tenant = ?1 AND \(Self.day) BETWEEN ?2 AND ?3
            """
        case .firstUsageDay: "SELECT min(day) FROM usage"
        case .lastUsageDay: "SELECT max(day) FROM usage"
        case .insertAudit:
            """
            INSERT INTO audit (at, who, origin, action, target, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """
        case .audit: audit(where: "entry < ?1")
        case .auditOf: audit(where: "entry < ?1 AND target = ?3")
        default: nil
        }
    }

    /// Selects the usage of the days from `?1` to `?2`, and of the tenant `?3` if there is one. Unfinished tasks are
    /// added up here.
    static let usage = """
        SELECT day, tenant, key_id AS key, account, model, outcome, currency, tasks, units, cash, bytes, times FROM usage
        WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR tenant = ?3)
        UNION ALL
        SELECT \(day) AS day, tenant, coalesce(key_id, '') AS key, account, model, 0, '', count(*),
        CAST(sum(units) AS BIGINT), 0, CAST(sum(bytes) AS BIGINT), x'' FROM tasks INDEXED BY tasks_unfinished WHERE finished_at IS NULL
        AND \(day) BETWEEN ?1 AND ?2 AND (?3 IS NULL OR tenant = ?3) GROUP BY 1, 2, 3, 4, 5
        """

    private static let usageSums = """
        SELECT CAST(coalesce(sum(tasks) FILTER (WHERE outcome = 4), 0) AS BIGINT),
        CAST(coalesce(sum(units), 0) AS BIGINT) FROM usage
        """

    /// The day of a task. Tasks of older versions have none.
    private static let day = "coalesce(day, created_at / 86400000)"

    private func audit(where condition: String) -> String {
        """
        SELECT entry, at, who, origin, action, target, before, after FROM audit WHERE \(condition)
        ORDER BY entry DESC LIMIT ?2
        """
    }
}
