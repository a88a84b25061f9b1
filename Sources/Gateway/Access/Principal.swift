/// Who a request comes from, as the gateway knows it by its key.
public struct Principal: Sendable, Hashable {
    /// What a key may do per unit of time; `nil` is no limit.
    public struct Limits: Sendable, Hashable {
        /// Requests in any minute.
        public var requestsPerMinute: Int?
        /// Tasks that run at once.
        public var concurrency: Int?

        /// Names the limits.
        public init(requestsPerMinute: Int? = nil, concurrency: Int? = nil) {
            self.requestsPerMinute = requestsPerMinute
            self.concurrency = concurrency
        }
    }

    /// Whose tasks the request may see.
    public let tenant: String
    /// The key that was shown; limits count per key.
    public let keyID: String
    public let limits: Limits
}
