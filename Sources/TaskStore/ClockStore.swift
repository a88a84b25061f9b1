/// The last time that the gateway recorded, so that a wrong wall clock is detected at the next start. As everywhere in
/// the store, a write is on disk when it returns, and times are milliseconds since 1970.
public protocol ClockStore: Sendable {
    /// Returns the time recorded last; nil if none ever was.
    func mark() async throws(StoreError) -> Int64?

    /// Records a time, replacing the previous one.
    func keep(_ mark: Int64) async throws(StoreError)
}
