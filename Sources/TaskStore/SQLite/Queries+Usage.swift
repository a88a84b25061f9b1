/// The statements of usage and of the audit log.
extension Query {
    var usageSQL: String? {
        switch self {
        case .addUsage:
            """
            INSERT INTO usage (day, tenant, key_id, account, model, outcome, currency, bucket, tasks, units, cash, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11)
            ON CONFLICT DO UPDATE SET tasks = tasks + 1, units = units + ?9, cash = cash + ?10, bytes = bytes + ?11
            """
        case .usageOnDay:
            """
            SELECT coalesce(sum(tasks) FILTER (WHERE outcome = 4), 0), coalesce(sum(units), 0) FROM usage
            WHERE day = ?1 AND tenant = ?2
            """
        case .unfinishedUsage:
            """
            SELECT count(*), coalesce(sum(units), 0) FROM tasks INDEXED BY tasks_unfinished WHERE finished_at IS NULL
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

    /// Selects the finished and the unfinished tasks of the days from `?1` to `?2`, and of the tenant `?3` if there is one.
    static let usage = """
        SELECT day, tenant, key_id AS key, account, model, outcome, currency, bucket, tasks, units, cash, bytes FROM usage
        WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR tenant = ?3)
        UNION ALL
        SELECT \(day), tenant, coalesce(key_id, ''), account, model, state, '', 0, 1, units, 0, bytes
        FROM tasks INDEXED BY tasks_unfinished WHERE finished_at IS NULL AND \(day) BETWEEN ?1 AND ?2
        AND (?3 IS NULL OR tenant = ?3)
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
