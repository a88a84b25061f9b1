internal import Base

/// The pictures that tenants have uploaded. Usable from any thread, and none is blocked.
protocol Uploads: Sendable {
    /// Stores data that was found to be a picture. When it returns, the picture survives a crash of the machine.
    /// - Parameter now: the time; nil: the clock's.
    func keep(
        _ picture: ByteSlice, format: PictureFormat, tenant: String, now: Int64?
    ) async throws(SpoolError) -> Asset

    /// The picture that a tenant has under a name; nil if there is none or it has expired.
    /// - Parameter now: the time; nil: the clock's.
    func find(_ name: String, tenant: String, now: Int64?) async throws(SpoolError) -> Asset?

    /// Reads a picture into one block of memory.
    /// - Parameter holding: released together with the block, such as the memory's lease.
    /// - Throws: `missing` if it has been removed in the meantime.
    func read(_ asset: Asset, holding: (any Sendable)?) async throws(SpoolError) -> Bytes

    /// Removes the expired pictures.
    func expire() async
}
