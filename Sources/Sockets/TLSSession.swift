internal import COpenSSL

/// One connection's TLS and its socket. Loop-confined. It frees its OpenSSL objects, but does not close the socket.
///
/// OpenSSL keeps errors in a queue per thread, which libcurl uses too: it is cleared before each call and after
/// failures.
@safe package final class TLSSession {
    /// Which side of the handshake this is.
    package enum Role { case client, server }

    package let descriptor: Int32
    /// Whether another read may return bytes without a new event: OpenSSL reads ahead, and keeps what the caller had no
    /// room for.
    package private(set) var mayHoldMore = true
    /// Whether reading waits for room to write: in a handshake, both sides send.
    package private(set) var readNeedsWritable = false
    /// Whether the handshake is complete.
    package private(set) var isHandshakeComplete = false
    /// Whether the peer has sent anything.
    package private(set) var hasReceived = false
    /// Whether the peer has said that it sends nothing more (`close_notify`). Otherwise, data may have been cut off.
    package private(set) var hasEndedCleanly = false
    /// How many bytes were written to the socket, the handshake's included.
    package private(set) var bytesWritten = 0
    /// The newest session that the server has offered to resume.
    package internal(set) var ticket: TLSTicket?
    /// Why a client's handshake or transfer has failed, for logs.
    package private(set) var failure: String?

    private let session: OpaquePointer
    private var socketMayHoldMore = true
    private var socketHasEnded = false
    private var isBroken = false
    private var hasSentCloseNotify = false
    private var socketReadsLeft = 0

    /// How many times the socket is read before other connections get their turn: a peer can send records without
    /// data, such as key updates, for as long as it likes, and OpenSSL would keep reading.
    private static let socketReadsPerTurn = 4

    /// Takes ownership of a new `SSL`, even if this fails.
    /// - Returns: nil if there is no memory for it.
    package init?(owning session: OpaquePointer, _ role: Role, descriptor: Int32) {
        unsafe self.session = session
        self.descriptor = descriptor
        // One BIO for both directions, which the `SSL` frees.
        guard let bio = unsafe SocketBIO.make(for: self) else { return nil }
        unsafe SSL_set_bio(session, bio, bio)
        switch role {
        case .client: unsafe SSL_set_connect_state(session)
        case .server: unsafe SSL_set_accept_state(session)
        }
    }

    deinit { unsafe SSL_free(session) }

    /// Makes the handshake shorter if the server still knows the session. Call it before the handshake.
    package func resume(_ ticket: TLSTicket) { unsafe SSL_set_session(session, ticket.session) }

    /// Reads at most one record, or continues the handshake. After `close_notify` was sent, it reads raw bytes, to be
    /// discarded.
    package func receive(into space: UnsafeMutableRawBufferPointer) -> Transport.Outcome {
        if hasSentCloseNotify { return unsafe receiveRaw(into: space) }
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
    package func send(_ part: UnsafeRawBufferPointer) -> Transport.Outcome {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_write_ex(session, part.baseAddress, part.count, &count)
        if result == 1 { return .bytes(count) }
        let reason = unsafe SSL_get_error(session, result)
        if reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE { return .blocked }
        return broken()
    }

    /// Sends `close_notify`, if that still makes sense. Failures are ignored: a peer that is gone does not need it.
    package func sendCloseNotify() -> Transport.Outcome {
        if hasSentCloseNotify || isBroken || !isHandshakeComplete { return .bytes(0) }
        ERR_clear_error()
        let result = unsafe SSL_shutdown(session)
        if result < 0 {
            if unsafe SSL_get_error(session, result) == SSL_ERROR_WANT_WRITE { return .blocked }
            _ = broken()
        }
        hasSentCloseNotify = true
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
        // A peer may leave without `close_notify`, because HTTP has its own lengths.
        case SSL_ERROR_WANT_READ: return socketHasEnded ? .bytes(0) : .blocked
        case SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN:
            hasEndedCleanly = true
            return .bytes(0)
        default: return broken()
        }
    }

    /// Marks the session as broken: after such an error, OpenSSL must not be called again, not even for `close_notify`.
    private func broken() -> Transport.Outcome {
        if unsafe SSL_is_server(session) == 0 { unsafe failure = failure ?? Self.describeFailure(session) }
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
        guard unsafe SSL_is_server(session) == 1 else { return }
        let answer: StaticString =
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 29\r\nConnection: close\r\n\r\nThis port speaks TLS: https.\n"
        // The literal's bytes are in the binary, so the pointer is always valid.
        let bytes = unsafe UnsafeRawBufferPointer(start: answer.utf8Start, count: answer.utf8CodeUnitCount)
        _ = unsafe Transport.plain(descriptor: descriptor).send(bytes)
        Transport.plain(descriptor: descriptor).finish()
    }

    /// How OpenSSL describes the last failure. A certificate's failure takes precedence.
    private static func describeFailure(_ session: OpaquePointer) -> String? {
        let verdict = unsafe SSL_get_verify_result(session)
        if verdict != Int(X509_V_OK) {
            return unsafe X509_verify_cert_error_string(verdict).map { unsafe String(cString: $0) }
        }
        return unsafe ERR_reason_error_string(ERR_peek_last_error()).map { unsafe String(cString: $0) }
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
        let outcome = unsafe Transport.plain(descriptor: descriptor).send(bytes)
        if case .bytes(let count) = outcome { bytesWritten += count }
        return outcome
    }
}
