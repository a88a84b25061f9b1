/// Why the store didn't do what it was asked.
public struct StoreError: Error, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The queue is full, the store is closed, or the disk doesn't answer as it should.
        case unavailable
        /// Another process holds the database.
        case busy
        /// The disk is full.
        case full
        /// The file, the folder or the disk can't be written to.
        case readOnly
        /// The file isn't a database, or not any more.
        case corrupt
        /// A newer version of the program has written the database.
        case newerSchema
        /// Another `serve` uses the store.
        case alreadyServed
        /// The tenant has a task of that `external_task_id`.
        case externalTaskIDInUse
        /// The tenant has sent that `Idempotency-Key` within a day.
        case idempotencyKeyInUse
        /// As many jobs of the tenant run as may.
        case tooManyJobs
        /// There is a key or task of that id, access key or bearer key.
        case alreadyExists
        /// There is no such task or key.
        case notFound
        /// The task is past the point where this could happen to it.
        case stale
    }

    public let code: Code
    /// What happened, for logs and for the operator's terminal: it may name files, so never for a client.
    public let detail: String

    public init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    public var description: String { detail }
}
