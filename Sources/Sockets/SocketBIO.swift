internal import COpenSSL

/// The BIO through which OpenSSL uses a ``TLSSession``'s socket. OpenSSL's own socket BIO writes with `write`, which
/// raises SIGPIPE, and does not tell whether a read has emptied the socket.
package enum SocketBIO {
    /// A BIO for `session`, which must own it; nil if there is no memory for it.
    static func make(for session: TLSSession) -> OpaquePointer? {
        guard let bio = unsafe BIO_new(method) else { return nil }
        // The session frees the BIO, so the unretained pointer is valid as long as the BIO is.
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(session).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    /// The session that owns a BIO.
    static func session(of bio: OpaquePointer?) -> TLSSession {
        guard let data = unsafe BIO_get_data(bio) else { preconditionFailure("a BIO without its session") }
        return unsafe Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
    }

    /// Makes the `BIO_METHOD` that all connections share. Called at startup, because nothing can be served without it.
    package static func setUp() { _ = unsafe method }

    // Made once for the process, then only read.
    private nonisolated(unsafe) static let method: OpaquePointer = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = unsafe BIO_meth_new(type, "socket") else { fatalError("BIO_meth_new: no memory") }
        unsafe BIO_meth_set_read(method, readSocket)
        unsafe BIO_meth_set_write(method, writeSocket)
        unsafe BIO_meth_set_ctrl(method, controlSocket)
        return unsafe method
    }()
}

private func readSocket(_ bio: OpaquePointer?, space: UnsafeMutablePointer<CChar>?, count: Int32) -> Int32 {
    let space = unsafe UnsafeMutableRawBufferPointer(start: space, count: Int(count))
    return unsafe report(SocketBIO.session(of: bio).readSocket(into: space), to: bio, retry: BIO_FLAGS_READ)
}

private func writeSocket(_ bio: OpaquePointer?, bytes: UnsafePointer<CChar>?, count: Int32) -> Int32 {
    let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: Int(count))
    return unsafe report(SocketBIO.session(of: bio).writeSocket(bytes), to: bio, retry: BIO_FLAGS_WRITE)
}

/// Answers OpenSSL's control commands. Nothing is buffered, so there is nothing to flush; all else is unsupported.
private func controlSocket(
    _: OpaquePointer?, command: Int32, _: Int, _: UnsafeMutableRawPointer?
) -> Int { command == BIO_CTRL_FLUSH ? 1 : 0 }

private func report(_ outcome: Transport.Outcome, to bio: OpaquePointer?, retry: Int32) -> Int32 {
    unsafe BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
    switch outcome {
    case .bytes(let count): return Int32(count)
    case .blocked, .handshaken, .unfinished: unsafe BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY)
    case .failed: break
    }
    return -1
}
