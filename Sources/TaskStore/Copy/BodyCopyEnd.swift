public import Base

/// The bodies of one side of a copy: those in a store's database, or in the folders beside it. Its functions block the
/// thread.
public protocol BodyCopyEnd {
    /// Where the bodies of a kind are, for the operator.
    func place(of kind: BlobKind) -> String

    /// Describes all bodies of a kind.
    func list(_ kind: BlobKind) throws(StoreError) -> [Blob]

    /// Reads a body that was listed, into one block of memory.
    /// - Returns: nil if it is not whole.
    func read(_ blob: Blob) throws(StoreError) -> Bytes?

    /// Writes a body whole. When this returns, it survives a crash of the machine.
    func write(_ blob: Blob, _ body: Bytes) throws(StoreError)
}
