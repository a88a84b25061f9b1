internal import Base
internal import CCurl
internal import COpenSSL
internal import Sockets

/// What a client's TLS connections share: the certificate authorities and the rules. Loop-confined.
///
/// TLS 1.2 and newer; the peer's certificate and its name are always verified; ALPN offers only `http/1.1`.
@safe final class TLSClientContext {
    private let context: OpaquePointer
    /// Reads the certificate authorities.
    /// - Parameter caFile: their PEM file; nil for libcurl's default.
    /// - Throws: ``HTTPClientError`` with ``HTTPClientError/Code/tls`` if the file cannot be used.
    init(caFile: String?) throws(HTTPClientError) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw Self.noMemory }
        unsafe self.context = context
        SocketBIO.setUp()
        defer { ERR_clear_error() }
        setRules()
        try load(caFile)
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// Makes the TLS of a connection to `host`, which must be a name or an address.
    /// - Throws: ``HTTPClientError`` if there is no memory for it.
    func makeSession(host: String, descriptor: Int32) throws(HTTPClientError) -> TLSSession {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let raw = unsafe SSL_new(context) else { throw Self.noMemory }
        guard let session = unsafe TLSSession(owning: raw, .client, descriptor: descriptor) else { throw Self.noMemory }
        let isSet: Bool
        if IPAddress(host) != nil {
            // Certificates have addresses apart from names, and SNI has no addresses (RFC 6066 §3).
            isSet = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(raw), host) == 1
        } else {
            unsafe SSL_set_hostflags(raw, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            isSet = unsafe SSL_set1_host(raw, host) == 1 && copenssl_set_server_name(raw, host) == 1
        }
        // Without the name that the certificate must have, no connection may be made.
        if !isSet { throw Self.noMemory }
        return session
    }

    private func setRules() {
        unsafe copenssl_set_minimum_version(context, TLS1_2_VERSION)
        unsafe copenssl_forbid_renegotiation_and_compression(context)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        // A request is written record by record, and its bytes may move in between; idle connections hold no buffers.
        let modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
        unsafe copenssl_set_modes(context, Int(modes))
        unsafe copenssl_read_ahead(context)
        let protocols: StaticString = "\u{8}http/1.1"
        unsafe SSL_CTX_set_alpn_protos(context, protocols.utf8Start, UInt32(protocols.utf8CodeUnitCount))
        unsafe TLSTicket.keep(in: context)
        // An authority that the operator named counts even if it is not a root.
        unsafe X509_STORE_set_flags(
            SSL_CTX_get_cert_store(context), UInt(X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN))
    }

    private func load(_ caFile: String?) throws(HTTPClientError) {
        let result =
            if let file = caFile ?? Self.defaultFile {
                unsafe SSL_CTX_load_verify_locations(context, file, nil)
            } else {
                unsafe SSL_CTX_set_default_verify_paths(context)
            }
        if result == 1 { return }
        let reason = unsafe ERR_reason_error_string(ERR_peek_last_error()).map { unsafe String(cString: $0) }
        throw HTTPClientError(
            .tls, wasSent: false,
            detail: "the file of certificate authorities cannot be used: \(reason ?? "for an unknown reason")")
    }

    private static let noMemory = HTTPClientError(.other, wasSent: false, detail: "OpenSSL ran out of memory")

    /// libcurl's default file, so that both paths trust the same authorities.
    private static let defaultFile: String? = {
        guard let raw = unsafe curl_easy_init() else { return nil }
        defer { unsafe curl_easy_cleanup(raw) }
        return unsafe EasyHandle(raw: raw).text(CURLINFO_CAINFO)
    }()
}
