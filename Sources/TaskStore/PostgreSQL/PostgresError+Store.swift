internal import PostgreSQL

extension StoreError {
    /// Makes a store error from an error of PostgreSQL.
    init(_ error: PostgresError) { self.init(Self.code(of: error), error.description) }

    /// The errors for claims that are already held, by the constraint.
    private static let claims: [String: Code] = [
        "tasks_claims": .externalTaskIDInUse, "idempotency_keys_tenant_key_key": .idempotencyKeyInUse,
    ]

    private static func code(of error: PostgresError) -> Code {
        switch error.sqlState {
        case "23505": claims[error.constraint ?? ""] ?? .alreadyExists
        case "25006": .readOnly
        case "55P03": .busy
        case "53100": .full
        case "XX001", "XX002": .corrupt
        default: .unavailable
        }
    }
}

extension PostgresError {
    /// Whether the same transaction may succeed if it is repeated: another one was in its way (`serialization_failure`,
    /// `deadlock_detected`), or has changed a row that was not read again (see ``PostgresIntents``).
    var isPassing: Bool { sqlState == "40001" || sqlState == "40P01" || sqlState == PostgresIntents.wasChanged }
}
