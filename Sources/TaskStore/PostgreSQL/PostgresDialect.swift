/// How PostgreSQL says what ``Query`` says in SQLite's words.
enum PostgresDialect {
    /// The number of this process among those that serve: a setting of each of its sessions.
    static let replica = "current_setting('kling_gateway.replica')::bigint"

    /// Translates a statement: parameters are written `$1`, there are no hints for indexes, and a task and its deliveries
    /// belong to one of several processes.
    static func translate(_ sql: String) -> String {
        var text = sql.replacing(/\s+INDEXED BY [a-z_]+/, with: "").replacing("x''", with: "''::bytea")
        text.replace("?", with: "$")
        text.replace(SQLWords.own, with: "AND owner = \(replica)")
        text.replace(SQLWords.isForeign, with: "(owner <> \(replica))::int")
        return text
    }

    /// The name under which the server keeps a statement.
    static func name(of query: Query) -> String { "q\(query.rawValue)" }

    /// A statement as PostgreSQL reads it.
    static func sql(of query: Query) -> String {
        let sql = translate(query.sql)
        return switch query {
        case .probe: "UPDATE probe SET probes = probes + 1"
        case .taskToChange: sql + " FOR UPDATE"
        case .keepAccount:
            sql.replacing("trouble = $12", with: "trouble = $12, owner = excluded.owner")
        case .insertDelivery:
            sql.replacing("receiver, pause)", with: "receiver, pause, owner)")
                .replacing("$8, 0)", with: "$8, 0, (SELECT owner FROM tasks WHERE id = $2))")
        case .redeliver:
            // A process that serves delivers it, even if that of before is gone.
            sql.replacing(
                "SET state = 0,",
                with: """
                    SET state = 0, owner = CASE WHEN EXISTS (SELECT 1 FROM replicas WHERE number = owner) THEN owner
                    ELSE coalesce((SELECT max(number) FROM replicas WHERE NOT has_left), owner) END,
                    """)
        case .insertJob: sql + " RETURNING job"
        case .insertTask: sql + " RETURNING id, task"
        default: sql
        }
    }
}
