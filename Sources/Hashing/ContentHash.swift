public import Base
internal import CXXHash

/// Digests content that comes in pieces. Owned by one: it is moved, never copied.
@safe public struct ContentHash: ~Copyable {
    /// The library's state: made here, and freed when the hash ends.
    private let state: OpaquePointer

    /// Begins with no content.
    ///
    /// The state takes about 600 bytes. If there is no memory for it, the process ends, as it does for every other object.
    public init() {
        guard let state = unsafe XXH3_createState() else { fatalError("no memory for the state of a hash") }
        // To reset a state that exists cannot fail.
        unsafe XXH3_128bits_reset(state)
        unsafe self.state = state
    }

    deinit { unsafe XXH3_freeState(state) }

    /// Takes in a piece, behind those before it.
    public mutating func update(_ piece: UnsafeRawBufferPointer) {
        // The library reads the bytes lent and copies what it keeps. Some versions refuse a null pointer.
        guard let base = piece.baseAddress else { return }
        unsafe XXH3_128bits_update(state, base, piece.count)
    }

    /// Takes in a piece, behind those before it.
    public mutating func update(_ slice: ByteSlice) {
        unsafe slice.withUnsafeBytes { unsafe update($0) }
    }

    /// The digest of everything taken in. More may be taken in after that.
    public borrowing func finish() -> ContentDigest {
        ContentDigest(unsafe XXH3_128bits_digest(state))
    }
}
