/// A table whose rows a copy of a store has. Both databases have it, with the same columns.
struct CopiedTable {
    /// How a column is bound and read.
    enum Kind {
        case integer, text, blob, id
    }

    struct Column {
        let name: String
        let kind: Kind
    }

    let name: String
    /// The columns, those of the primary key first.
    let columns: [Column]
    /// How many columns the primary key has.
    let keyCount: Int

    /// - Parameters:
    ///   - key: the columns of the primary key.
    ///   - rest: the other columns. Each is written as in `tenant` for a text, `count:i`, `body:b` or `task:u`: for a
    ///     whole number, for bytes and for an id.
    private init(_ name: String, _ key: String, _ rest: String) {
        let keys = Self.columns(key)
        (self.name, columns, keyCount) = (name, keys + Self.columns(rest), keys.count)
    }

    private static func columns(_ text: String) -> [Column] {
        text.split(whereSeparator: \.isWhitespace).map { word in
            let parts = word.split(separator: ":")
            let kind: Kind = parts.count == 1 ? .text : parts[1] == "i" ? .integer : parts[1] == "b" ? .blob : .id
            return Column(name: String(parts[0]), kind: kind)
        }
    }

    private static let rules = "requests_per_minute:i concurrency:i models addresses expires_at:i disabled:i"

    /// The tables, in an order in which each row comes after those that it refers to. What a process keeps for itself is
    /// not copied: who serves, rates, unread creates, the redo log.
    static let all = [
        CopiedTable(
            "tenants", "name",
            "sealed_webhook_secret:b created_at:i previous_sealed_webhook_secret:b previous_valid_until:i"
        ),
        CopiedTable(
            "keys", "key:i",
            "id tenant bearer_hash:b access_key sealed_secret_key:b created_at:i revoked_at:i name prefix \(rules)"),
        CopiedTable(
            "previous_secrets", "bearer_hash:b", "key_id prefix access_key sealed_secret_key:b valid_until:i"),
        CopiedTable("key_uses", "key_id", "last_used_at:i"),
        CopiedTable("tenant_rules", "name", "time_zone \(rules) updated_at:i"),
        CopiedTable(
            "budgets", "tenant metric:i period:i", "amount:i warn_at:i raised_amount:i raised_until:i"),
        CopiedTable(
            "accounts", "name",
            "disabled_by:i reason refused_models learned_limit:i has_lookup:i updated_at:i has_unique_ids:i identity:i "
                + "api was_reached:i trouble"),
        CopiedTable("clock_mark", "mark:i", "time:i"),
        CopiedTable("master_key_mark", "mark:i", "digest:b"),
        CopiedTable(
            "jobs", "job:i",
            "tenant shape request:b callback_url callback_ref idempotency_key fingerprint:b account created_at:i"),
        CopiedTable(
            "tasks", "task:i",
            "id:u tenant account external_task_id model callback_url created_at:i state:i flags:i number:i public_id "
                + "upstream_id status_word answer:b released:i updated_at:i finished_at:i key_id idempotency_key payload:i "
                + "job:i job_index:i account_identity:i content:u api shape day:i units:i cash:i currency bytes:i"),
        CopiedTable(
            "idempotency_keys", "claim:i", "tenant key fingerprint:b task:u created_at:i status:i body:b"),
        CopiedTable(
            "deliveries", "delivery:i",
            "id task:u tenant receiver last:i created_at:i state:i attempts:i leased:i next_attempt_at:i pause:i "
                + "finished_at:i url body:b"),
        CopiedTable(
            "delivery_attempts", "delivery:i attempt:i", "number:i started_at:i duration:i status:i failure"),
        CopiedTable(
            "usage", "day:i tenant key_id account model outcome:i currency", "tasks:i units:i cash:i bytes:i times:b"),
        CopiedTable("audit", "entry:i", "at:i who origin action target before after"),
    ]
}

extension CopiedTable {
    private var names: String { columns.map(\.name).joined(separator: ", ") }
    private var key: String { columns.prefix(keyCount).map(\.name).joined(separator: ", ") }

    /// Selects rows in the order of their keys.
    /// - Parameter isContinued: whether only those after the key in the first parameters.
    func select(isContinued: Bool, limit: Int) -> String {
        let values = (1...keyCount).map { "?\($0)" }.joined(separator: ", ")
        let condition = isContinued ? " WHERE (\(key)) > (\(values))" : ""
        return "SELECT \(names) FROM \(name)\(condition) ORDER BY \(key) LIMIT \(limit)"
    }

    /// Selects the last key.
    var lastKey: String {
        let order = columns.prefix(keyCount).map { "\($0.name) DESC" }.joined(separator: ", ")
        return "SELECT \(key) FROM \(name) ORDER BY \(order) LIMIT 1"
    }

    /// Inserts a row.
    /// - Parameter overriding: what PostgreSQL needs to be told for a number that it would make itself.
    func insert(overriding: String) -> String {
        let values = columns.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        return "INSERT INTO \(name) (\(names)) \(overriding)VALUES (\(values))"
    }
}

/// A row's value on its way from one database to another.
enum CopiedValue: Hashable {
    case integer(Int64?)
    case text(String?)
    case blob([UInt8]?)
    case id(TaskID?)
}

extension StoreStatement {
    func bind(_ values: some Sequence<CopiedValue>) {
        for (index, value) in zip(Int32(1)..., values) {
            switch value {
            case .integer(let number): bind(index, number)
            case .text(let text): bind(index, text)
            case .blob(let bytes): bind(index, bytes)
            case .id(let id): bind(index, id)
            }
        }
    }

    func values(of columns: some Sequence<CopiedTable.Column>) -> [CopiedValue] {
        zip(Int32(0)..., columns).map { index, column in
            switch column.kind {
            case .integer: .integer(optionalInteger(index))
            case .text: .text(optionalText(index))
            case .blob: .blob(optionalBytes(index))
            case .id: .id(isNull(index) ? nil : taskID(index))
            }
        }
    }
}
