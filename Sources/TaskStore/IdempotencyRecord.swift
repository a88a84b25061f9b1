/// A client's `Idempotency-Key` and what it was sent with. Part of a ``NewTask`` or ``NewJob``.
public struct IdempotencyKey: Sendable, Equatable {
    public var key: String
    /// A digest of the route and the content: equal requests have equal fingerprints.
    public var fingerprint: [UInt8]
    /// The time before which claims of the key have expired and are replaced, in milliseconds since 1970.
    public var expiry: Int64

    public init(key: String, fingerprint: [UInt8], expiry: Int64 = .min) {
        self.key = key
        self.fingerprint = fingerprint
        self.expiry = expiry
    }
}

/// A claimed key.
public struct IdempotencyRecord: Sendable, Equatable {
    /// The minimum lifetime of a claim, in milliseconds: one day.
    public static let lifetime: Int64 = 86_400_000

    public var fingerprint: [UInt8]
    /// The task that the first request created.
    public var task: TaskID
    /// The answer to repeat; nil while the create is still open.
    public var answer: StoredAnswer?
    public var createdAt: Int64

    public init(fingerprint: [UInt8], task: TaskID, answer: StoredAnswer?, createdAt: Int64) {
        self.fingerprint = fingerprint
        self.task = task
        self.answer = answer
        self.createdAt = createdAt
    }
}

/// The answer that a create was given.
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
