internal import COpenSSL

/// A session that a server has offered to resume: the next handshake with it is shorter. It owns the `SSL_SESSION`.
@safe package final class TLSTicket {
    let session: OpaquePointer

    /// Takes ownership of a reference to a session.
    init(owning session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_SESSION_free(session) }

    /// Makes each ``TLSSession`` of a client's `SSL_CTX` keep the newest ticket that it is sent.
    package static func keep(in context: OpaquePointer) {
        unsafe copenssl_set_session_cache(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(context, keepTicket)
    }
}

/// Takes ownership of the reference to the session. Returning 1 tells OpenSSL so.
private func keepTicket(_ connection: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    guard let session = unsafe session else { return 0 }
    unsafe SocketBIO.session(of: SSL_get_rbio(connection)).ticket = unsafe TLSTicket(owning: session)
    return 1
}
