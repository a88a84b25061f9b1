/// Creates that clients may repeat. A key is claimed in the transaction that writes the intent (``TaskStore/begin(_:)``),
/// and its answer is kept in the transaction that settles the create.
public protocol IdempotencyStore: Sendable {
    /// What is known of a tenant's key; nil: it is free.
    func idempotency(tenant: String, key: String) async throws(StoreError) -> IdempotencyRecord?
}

/// A client's `Idempotency-Key` and what it was sent with. Part of a ``NewTask``.
public struct IdempotencyKey: Sendable, Equatable {
    public var key: String
    /// Of the route and the content; equal requests have equal ones.
    public var fingerprint: [UInt8]
    /// Claims of the key that were made before that are over and give way, in milliseconds since 1970.
    public var expiry: Int64

    public init(key: String, fingerprint: [UInt8], expiry: Int64 = .min) {
        self.key = key
        self.fingerprint = fingerprint
        self.expiry = expiry
    }
}

/// A claimed key.
public struct IdempotencyRecord: Sendable, Equatable {
    /// How long a claim holds at least, in milliseconds: a day.
    public static let lifetime: Int64 = 86_400_000

    public var fingerprint: [UInt8]
    /// The task that the first request made.
    public var task: TaskID
    /// What to answer again; nil: the create is still open.
    public var answer: StoredAnswer?
    public var createdAt: Int64

    public init(fingerprint: [UInt8], task: TaskID, answer: StoredAnswer?, createdAt: Int64) {
        self.fingerprint = fingerprint
        self.task = task
        self.answer = answer
        self.createdAt = createdAt
    }
}

/// An answer to a create, as it was given.
public struct StoredAnswer: Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// The body, JSON.
    public var body: [UInt8]

    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}
