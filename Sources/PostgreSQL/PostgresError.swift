/// Why PostgreSQL did not do what was asked.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The server's code for the error (PostgreSQL's documentation, appendix A); nil if there is no connection, or no
    /// longer one.
    public let sqlState: String?
    /// The constraint that was violated.
    public let constraint: String?
    /// What happened, for the operator. It may name hosts and users, and never contains a password.
    public let message: String

    public init(_ message: String, sqlState: String? = nil, constraint: String? = nil) {
        (self.message, self.sqlState, self.constraint) = (message, sqlState, constraint)
    }

    /// Whether the connection cannot be used any more.
    public var isConnectionLost: Bool {
        guard let sqlState else { return true }
        // Class 57P: the server ends the session. Class 08: the connection.
        return sqlState.hasPrefix("57P") || sqlState.hasPrefix("08")
    }

    public var description: String { sqlState.map { "PostgreSQL \($0): \(message)" } ?? message }
}
