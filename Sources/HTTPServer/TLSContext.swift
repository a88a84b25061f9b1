public import Base
internal import COpenSSL
internal import Sockets

/// The certificate, key and rules that the connections of a TLS listener share. Can be used from any thread.
///
/// TLS 1.2 and newer with OpenSSL's default ciphers; ALPN selects only `http/1.1`; sessions are resumed by tickets, so
/// none are stored here; no renegotiation, no compression.
@safe public final class TLSContext: @unchecked Sendable {
    // @unchecked: nothing changes the `SSL_CTX` after `init`, and OpenSSL counts its references atomically.
    private let context: OpaquePointer

    /// Checks and loads a certificate and its key.
    /// - Parameters:
    ///   - certificateChain: PEM: the server's certificate, then those of its issuers, without the root.
    ///   - privateKey: PEM, without a passphrase.
    /// - Throws: ``TLSContextError``.
    public init(certificateChain: String, privateKey: Secret) throws(TLSContextError) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { fatalError("SSL_CTX_new: no memory") }
        unsafe self.context = context
        SocketBIO.setUp()
        setRules()
        defer { ERR_clear_error() }
        try useCertificates(PEM(certificateChain))
        try useKey(PEM(privateKey.reveal()))
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// Makes a new connection's TLS; nil if there is no memory for it.
    func makeSession(descriptor: Int32) -> TLSSession? {
        defer { ERR_clear_error() }
        return unsafe SSL_new(context).flatMap {
            unsafe TLSSession(owning: $0, .server, descriptor: descriptor)
        }
    }

    private static let encrypted = "it is encrypted: store it without a passphrase (openssl pkey)"

    private func setRules() {
        unsafe copenssl_set_minimum_version(context, TLS1_2_VERSION)
        unsafe copenssl_forbid_renegotiation_and_compression(context)
        unsafe copenssl_set_session_cache(context, Int(SSL_SESS_CACHE_OFF))
        // An answer is written record by record, and its bytes may move in between; idle connections hold no buffers.
        let modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
        unsafe copenssl_set_modes(context, Int(modes))
        unsafe copenssl_read_ahead(context)
        unsafe SSL_CTX_set_alpn_select_cb(context, selectProtocol, nil)
    }

    private func useCertificates(_ pem: borrowing PEM) throws(TLSContextError) {
        guard let first = unsafe pem.nextCertificate() else {
            throw .lastError()
        }
        defer { unsafe X509_free(first) }
        if unsafe SSL_CTX_use_certificate(context, first) != 1 { throw .lastError() }
        while let next = unsafe pem.nextCertificate() {
            if unsafe copenssl_add_chain_certificate(context, next) == 1 { continue }
            unsafe X509_free(next)
            throw .lastError()
        }
        guard PEM.isAtEnd else { throw .lastError() }
    }

    private func useKey(_ pem: borrowing PEM) throws(TLSContextError) {
        var isEncrypted = false
        guard let key = unsafe pem.privateKey(&isEncrypted) else {
            throw TLSContextError(.privateKey, isEncrypted ? Self.encrypted : "it is not a private key in PEM")
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe SSL_CTX_use_PrivateKey(context, key) == 1, unsafe SSL_CTX_check_private_key(context) == 1 else {
            throw .init(.privateKey, "it does not belong to the certificate")
        }
    }
}

/// Why a certificate and a key cannot be used.
public struct TLSContextError: Error, Hashable, CustomStringConvertible {
    /// What is at fault.
    public enum Part: Hashable, Sendable { case certificate, privateKey }

    public let part: Part
    /// The reason, in which "it" is the part. It contains nothing of the key.
    public let description: String

    fileprivate init(_ part: Part, _ description: String) {
        self.part = part
        self.description = description
    }

    /// The error that OpenSSL reported for a certificate.
    fileprivate static func lastError() -> TLSContextError {
        if PEM.isAtEnd { return TLSContextError(.certificate, "it holds no certificate in PEM") }
        let reason = unsafe ERR_reason_error_string(ERR_get_error()).map { unsafe String(cString: $0) }
        return TLSContextError(.certificate, "OpenSSL refuses it: \(reason ?? "for an unknown reason")")
    }
}

/// Reads PEM objects from a text, one after the other.
@safe private struct PEM: ~Copyable {
    private let source: OpaquePointer

    /// Reads from a copy of `text`.
    init(_ text: String) {
        guard let source = unsafe BIO_new(BIO_s_mem()) else { fatalError("BIO_new: no memory") }
        unsafe self.source = source
        var text = text
        text.withUTF8 { bytes in _ = unsafe BIO_write(source, bytes.baseAddress, Int32(clamping: bytes.count)) }
    }

    // OpenSSL wipes the copy of a key when it frees the memory.
    deinit { unsafe BIO_free_all(source) }

    /// The next certificate, which the caller must free.
    func nextCertificate() -> OpaquePointer? {
        ERR_clear_error()
        return unsafe PEM_read_bio_X509(source, nil, refusePassphrase, nil)
    }

    /// The next private key, which the caller must free.
    func privateKey(_ isEncrypted: inout Bool) -> OpaquePointer? {
        ERR_clear_error()
        return unsafe PEM_read_bio_PrivateKey(source, nil, refusePassphrase, &isEncrypted)
    }

    /// Whether the last read found nothing because there is no more PEM.
    static var isAtEnd: Bool { copenssl_is(ERR_peek_error(), ERR_LIB_PEM, PEM_R_NO_START_LINE) }
}

/// Gives no passphrase; without this callback, OpenSSL asks on the terminal. `context` points to a `Bool`, which is set
/// if a passphrase is needed.
private func refusePassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, context: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe context?.storeBytes(of: true, as: Bool.self)
    return -1
}

/// Selects our protocol. A client that offers protocols must offer it (RFC 7301 §3.2); a client that offers none gets
/// it as well.
private func selectProtocol(
    _: OpaquePointer?, chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, chosenCount: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?, offeredCount: UInt32, _: UnsafeMutableRawPointer?
) -> Int32 {
    let ours: StaticString = "\u{8}http/1.1"
    var match: UnsafeMutablePointer<UInt8>?
    let result = unsafe SSL_select_next_proto(
        &match, chosenCount, ours.utf8Start, UInt32(ours.utf8CodeUnitCount), offered, offeredCount)
    // A match points into the literal, whose bytes are in the binary, so the pointer is always valid.
    unsafe chosen?.pointee = unsafe UnsafePointer(match)
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
}
