/// How PostgreSQL says what ``Query`` says in SQLite's words.
enum PostgresDialect {
    /// Translates a statement: parameters are written `$1`, and there are no hints for indexes.
    static func translate(_ sql: String) -> String {
        var text = sql.replacing(/\s+INDEXED BY [a-z_]+/, with: "").replacing("x''", with: "''::bytea")
        text.replace("?", with: "$")
        return text
    }
}

extension Query {
    /// The statement as PostgreSQL reads it.
    var postgresSQL: String {
        switch self {
        case .probe: "UPDATE probe SET probes = probes + 1"
        case .taskToChange: PostgresDialect.translate(sql) + " FOR UPDATE"
        case .insertJob: PostgresDialect.translate(sql) + " RETURNING job"
        default: PostgresDialect.translate(sql)
        }
    }
}
