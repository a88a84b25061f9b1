public import Base
internal import CXXHash

/// Digests content that arrives in pieces. It has one owner: it is moved, never copied.
@safe public struct ContentHash: ~Copyable {
    /// The library's state: created in `init` and freed in `deinit`.
    private let state: OpaquePointer

    /// Starts with empty content.
    ///
    /// The state takes about 600 bytes. The process crashes if there is no memory for it, as for any other object.
    public init() {
        guard let state = unsafe XXH3_createState() else { fatalError("no memory for the state of a hash") }
        // Resetting an existing state cannot fail.
        unsafe XXH3_128bits_reset(state)
        unsafe self.state = state
    }

    deinit { unsafe XXH3_freeState(state) }

    /// Appends a piece.
    public mutating func update(_ piece: UnsafeRawBufferPointer) {
        // The library reads the bytes during the call and copies what it keeps. Some versions reject a null pointer.
        guard let base = piece.baseAddress else { return }
        unsafe XXH3_128bits_update(state, base, piece.count)
    }

    /// Appends a piece.
    public mutating func update(_ slice: ByteSlice) {
        unsafe slice.withUnsafeBytes { unsafe update($0) }
    }

    /// The digest of all pieces so far. More pieces may be appended afterwards.
    public borrowing func finish() -> ContentDigest {
        ContentDigest(unsafe XXH3_128bits_digest(state))
    }
}
