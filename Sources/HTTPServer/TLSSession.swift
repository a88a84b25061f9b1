internal import COpenSSL

/// One connection's TLS and its socket. Loop-confined. It frees its OpenSSL objects, but does not close the socket.
///
/// OpenSSL keeps errors in a queue per thread, which libcurl uses too: it is cleared before each call and after
/// failures.
@safe final class TLSSession {
    let descriptor: Int32
    /// Whether another read may return bytes without a new event: OpenSSL reads ahead, and keeps what the caller had no
    /// room for.
    private(set) var mayHoldMore = true
    /// Whether reading waits for room to write: in a handshake, both sides send.
    private(set) var readNeedsWritable = false
    /// Whether the handshake is complete.
    private(set) var isHandshakeComplete = false
    /// Whether the client has sent anything.
    private(set) var hasReceived = false

    private let session: OpaquePointer
    private var socketMayHoldMore = true
    private var socketHasEnded = false
    private var isBroken = false
    private var hasSaidGoodbye = false
    private var socketReadsLeft = 0

    /// How many times the socket is read before other connections get their turn: a client can send records without
    /// data, such as key updates, for as long as it likes, and OpenSSL would keep reading.
    private static let socketReadsPerTurn = 4

    /// Makes the session of a new connection.
    /// - Returns: nil if there is no memory for it.
    init?(_ context: TLSContext, descriptor: Int32) {
        guard let session = unsafe context.makeSession() else { return nil }
        self.descriptor = descriptor
        unsafe self.session = session
        unsafe SSL_set_accept_state(session)
        guard let bio = unsafe SocketBIO.make(for: self) else { return nil }
        // One BIO for both directions, which the `SSL` frees.
        unsafe SSL_set_bio(session, bio, bio)
    }

    deinit { unsafe SSL_free(session) }

    /// Reads at most one record, or continues the handshake. After `close_notify` was sent, it reads raw bytes, to be
    /// discarded.
    func receive(into space: UnsafeMutableRawBufferPointer) -> Transport.Outcome {
        if hasSaidGoodbye { return unsafe receiveRaw(into: space) }
        readNeedsWritable = false
        socketReadsLeft = Self.socketReadsPerTurn
        ERR_clear_error()
        if !isHandshakeComplete { return performHandshake() }
        var count = 0
        let result = unsafe SSL_read_ex(session, space.baseAddress, space.count, &count)
        guard result == 1 else { return readFailure(result) }
        unsafe mayHoldMore = socketMayHoldMore || SSL_has_pending(session) == 1
        return .bytes(count)
    }

    /// Writes at most one record.
    func send(_ part: UnsafeRawBufferPointer) -> Transport.Outcome {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_write_ex(session, part.baseAddress, part.count, &count)
        if result == 1 { return .bytes(count) }
        let reason = unsafe SSL_get_error(session, result)
        if reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE { return .blocked }
        return broken()
    }

    /// Sends `close_notify`, if that still makes sense. Failures are ignored: a client that is gone does not need it.
    func sendCloseNotify() -> Transport.Outcome {
        if hasSaidGoodbye || isBroken || !isHandshakeComplete { return .bytes(0) }
        ERR_clear_error()
        let result = unsafe SSL_shutdown(session)
        if result < 0 {
            if unsafe SSL_get_error(session, result) == SSL_ERROR_WANT_WRITE { return .blocked }
            _ = broken()
        }
        hasSaidGoodbye = true
        return .bytes(0)
    }

    private func performHandshake() -> Transport.Outcome {
        let result = unsafe SSL_do_handshake(session)
        if result == 1 {
            isHandshakeComplete = true
            return .handshaken
        }
        let speaksPlain = copenssl_is(ERR_peek_last_error(), ERR_LIB_SSL, SSL_R_HTTP_REQUEST)
        let outcome = readFailure(result)
        if speaksPlain, outcome == .failed { refusePlain() }
        return outcome
    }

    private func readFailure(_ result: Int32) -> Transport.Outcome {
        mayHoldMore = false
        let reason = unsafe SSL_get_error(session, result)
        readNeedsWritable = reason == SSL_ERROR_WANT_WRITE
        switch reason {
        case SSL_ERROR_WANT_READ where socketReadsLeft < 0: return .unfinished
        // A client may leave without `close_notify`, because HTTP has its own lengths.
        case SSL_ERROR_WANT_READ: return socketHasEnded ? .bytes(0) : .blocked
        case SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN: return .bytes(0)
        default: return broken()
        }
    }

    /// Marks the session as broken: after such an error, OpenSSL must not be called again, not even for `close_notify`.
    private func broken() -> Transport.Outcome {
        ERR_clear_error()
        isBroken = true
        return .failed
    }

    private func receiveRaw(into space: UnsafeMutableRawBufferPointer) -> Transport.Outcome {
        let outcome = unsafe Transport.plain(descriptor: descriptor).receive(into: space)
        mayHoldMore = outcome == .bytes(space.count)
        return outcome
    }

    /// Answers 400 in plain HTTP, if the socket has room for it.
    private func refusePlain() {
        let answer: StaticString =
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 29\r\nConnection: close\r\n\r\nThis port speaks TLS: https.\n"
        // The literal's bytes are in the binary, so the pointer is always valid.
        let bytes = unsafe UnsafeRawBufferPointer(start: answer.utf8Start, count: answer.utf8CodeUnitCount)
        _ = unsafe Transport.plain(descriptor: descriptor).send(bytes)
        Transport.plain(descriptor: descriptor).finish()
    }
}

/// The socket operations that OpenSSL calls, through ``SocketBIO``.
extension TLSSession {
    func readSocket(into space: UnsafeMutableRawBufferPointer) -> Transport.Outcome {
        socketReadsLeft -= 1
        if socketReadsLeft < 0 { return .blocked }
        let outcome = unsafe Transport.plain(descriptor: descriptor).receive(into: space)
        socketMayHoldMore = outcome == .bytes(space.count)
        guard outcome == .bytes(0) else {
            if case .bytes = outcome { hasReceived = true }
            return outcome
        }
        // OpenSSL treats a FIN as an attack, and would not write after it, so it is told to wait.
        socketHasEnded = true
        return .blocked
    }

    func writeSocket(_ bytes: UnsafeRawBufferPointer) -> Transport.Outcome {
        unsafe Transport.plain(descriptor: descriptor).send(bytes)
    }
}
