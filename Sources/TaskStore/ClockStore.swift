/// The time at which the gateway was when it last said so, so that a wall clock that is wrong at the next start is found
/// out. As for every function of the store: what a write returns is on the disk; times are milliseconds since 1970.
public protocol ClockStore: Sendable {
    /// The last time kept; nil: none ever was.
    func clockMark() async throws(StoreError) -> Int64?

    /// Keeps a time, in place of the one before.
    func keep(clockMark time: Int64) async throws(StoreError)
}
