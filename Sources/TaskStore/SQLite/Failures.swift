internal import GRDB
internal import GRDBSQLite

extension StoreError {
    /// Makes a store error from an SQLite result code.
    init(sqlite code: Int32, _ message: String) {
        self.init(Self.code(of: code, message), "SQLite \(code): \(message)")
    }

    /// Makes a store error from an error thrown by GRDB.
    init(_ error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError: self.init(sqlite: error.extendedResultCode.rawValue, error.message ?? "")
        default: self.init(.unavailable, String(describing: error))
        }
    }

    /// The errors for claims that are already held, by the column that SQLite names in its message.
    private static let claims: [(column: String, code: Code)] = [
        ("tasks.external_task_id", .externalTaskIDInUse), ("idempotency_keys.key", .idempotencyKeyInUse),
    ]

    private static func code(of code: Int32, _ message: String) -> Code {
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy
        case SQLITE_FULL: return .full
        case SQLITE_READONLY, SQLITE_PERM: return .readOnly
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt
        case SQLITE_CONSTRAINT: return claims.first { message.contains($0.column) }?.code ?? .alreadyExists
        default: return .unavailable
        }
    }
}
