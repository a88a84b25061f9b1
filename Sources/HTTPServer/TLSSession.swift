internal import COpenSSL

/// One connection's TLS, and its socket. Loop-confined; it frees what it has of OpenSSL, and closes nothing.
///
/// OpenSSL's errors are a queue of the thread, which libcurl uses too: it is emptied before each call and after failures.
@safe final class TLSSession {
    let descriptor: Int32
    /// Whether another read may bring something without anything new having been reported: OpenSSL reads ahead, and
    /// holds what the caller had no room for.
    private(set) var mayHoldMore = true
    /// Whether reading has stopped because nothing could be written: in a handshake both sides speak.
    private(set) var readWaitsForRoom = false
    /// Whether the handshake is over.
    private(set) var hasShakenHands = false
    /// Whether the client has sent anything.
    private(set) var hasReceived = false

    private let session: OpaquePointer
    private var socketMayHoldMore = true
    private var socketHasEnded = false
    private var isBroken = false
    private var hasSaidGoodbye = false
    private var socketReadsLeft = 0

    /// A client can send records that bring nothing, such as key updates, as long as it likes, and OpenSSL would read on
    /// and on: after so many reads of the socket others get their turn.
    private static let socketReadsPerTurn = 4

    /// - Returns: nil if there is no memory for it.
    init?(_ context: TLSContext, descriptor: Int32) {
        guard let session = unsafe context.makeSession() else { return nil }
        self.descriptor = descriptor
        unsafe self.session = session
        unsafe SSL_set_accept_state(session)
        guard let bio = unsafe SocketBIO.make(for: self) else { return nil }
        // One for both directions: the session frees it.
        unsafe SSL_set_bio(session, bio, bio)
    }

    deinit { unsafe SSL_free(session) }

    /// Reads at most a record, or goes on with the handshake. After the goodbye it reads what is on the wire, to be
    /// thrown away.
    func receive(into space: UnsafeMutableRawBufferPointer) -> Transport.Outcome {
        if hasSaidGoodbye { return unsafe receiveRaw(into: space) }
        readWaitsForRoom = false
        socketReadsLeft = Self.socketReadsPerTurn
        ERR_clear_error()
        if !hasShakenHands { return shakeHands() }
        var count = 0
        let result = unsafe SSL_read_ex(session, space.baseAddress, space.count, &count)
        guard result == 1 else { return whyNothingWasRead(result) }
        unsafe mayHoldMore = socketMayHoldMore || SSL_has_pending(session) == 1
        return .bytes(count)
    }

    /// Writes at most a record.
    func send(_ part: UnsafeRawBufferPointer) -> Transport.Outcome {
        ERR_clear_error()
        var count = 0
        let result = unsafe SSL_write_ex(session, part.baseAddress, part.count, &count)
        if result == 1 { return .bytes(count) }
        let reason = unsafe SSL_get_error(session, result)
        if reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE { return .blocked }
        return broken()
    }

    /// Sends `close_notify`, if that still means something. A client that is gone does not miss it.
    func sayGoodbye() -> Transport.Outcome {
        if hasSaidGoodbye || isBroken || !hasShakenHands { return .bytes(0) }
        ERR_clear_error()
        let result = unsafe SSL_shutdown(session)
        if result < 0 {
            if unsafe SSL_get_error(session, result) == SSL_ERROR_WANT_WRITE { return .blocked }
            _ = broken()
        }
        hasSaidGoodbye = true
        return .bytes(0)
    }

    private func shakeHands() -> Transport.Outcome {
        let result = unsafe SSL_do_handshake(session)
        if result == 1 {
            hasShakenHands = true
            return .handshaken
        }
        let speaksPlain = copenssl_is(ERR_peek_last_error(), ERR_LIB_SSL, SSL_R_HTTP_REQUEST)
        let outcome = whyNothingWasRead(result)
        if speaksPlain, outcome == .failed { refusePlain() }
        return outcome
    }

    private func whyNothingWasRead(_ result: Int32) -> Transport.Outcome {
        mayHoldMore = false
        let reason = unsafe SSL_get_error(session, result)
        readWaitsForRoom = reason == SSL_ERROR_WANT_WRITE
        switch reason {
        case SSL_ERROR_WANT_READ where socketReadsLeft < 0: return .unfinished
        // A client that leaves without `close_notify` is a client that leaves: HTTP has its own lengths.
        case SSL_ERROR_WANT_READ: return socketHasEnded ? .bytes(0) : .blocked
        case SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN: return .bytes(0)
        default: return broken()
        }
    }

    /// After such an error the session must not be used any more, not even for a goodbye.
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

    /// A word in the client's own language, as far as that goes without waiting.
    private func refusePlain() {
        let answer: StaticString =
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 29\r\nConnection: close\r\n\r\nThis port speaks TLS: https.\n"
        // The bytes are in the binary for ever.
        let bytes = unsafe UnsafeRawBufferPointer(start: answer.utf8Start, count: answer.utf8CodeUnitCount)
        _ = unsafe Transport.plain(descriptor: descriptor).send(bytes)
        Transport.plain(descriptor: descriptor).finish()
    }
}

/// The socket, as OpenSSL asks for it.
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
        // OpenSSL takes a FIN for an attack, and would not write after it: it is told to wait.
        socketHasEnded = true
        return .blocked
    }

    func writeSocket(_ bytes: UnsafeRawBufferPointer) -> Transport.Outcome {
        unsafe Transport.plain(descriptor: descriptor).send(bytes)
    }
}
