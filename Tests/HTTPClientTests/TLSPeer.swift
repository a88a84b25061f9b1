import COpenSSL
import Glibc

/// A test server's certificate, key, and keys for sessions.
final class TLSIdentity: @unchecked Sendable {
    // @unchecked: nothing changes it after `init`.
    fileprivate let context = SSL_CTX_new(TLS_server_method())

    /// - Parameters:
    ///   - certificate: the path of the PEM file.
    ///   - key: the path of its key.
    init(certificate: String, key: String, newest: Int32 = TLS1_3_VERSION) {
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(newest), nil)
        SSL_CTX_use_certificate_chain_file(context, certificate)
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM)
    }

    deinit { SSL_CTX_free(context) }
}

/// The server's side of TLS on a test server's connection, with blocking reads and writes.
final class TLSPeer {
    private let identity: TLSIdentity
    private let session: OpaquePointer?

    /// Performs the handshake; `nil` if that fails.
    init?(_ connection: TestServer.Connection, _ identity: TLSIdentity) {
        self.identity = identity
        session = SSL_new(identity.context)
        SSL_set_fd(session, connection.descriptor)
        if SSL_accept(session) != 1 { return nil }
    }

    deinit { SSL_free(session) }

    /// The name that the client has asked for.
    var requestedName: String? { SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) } }

    /// Whether an earlier session was resumed.
    var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// Reads a request with `Content-Length`; returns its body, or `nil` at the end.
    func readRequest() -> [UInt8]? {
        var bytes: [UInt8] = []
        while true {
            if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let fields = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
                let length = fields.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
                while bytes.count < end.upperBound + length { guard receive(&bytes) else { return nil } }
                return Array(bytes[end.upperBound...])
            }
            guard receive(&bytes) else { return nil }
        }
    }

    private func receive(_ bytes: inout [UInt8]) -> Bool {
        var space = [UInt8](repeating: 0, count: 16 << 10)
        let count = SSL_read(session, &space, Int32(space.count))
        if count > 0 { bytes += space[..<Int(count)] }
        return count > 0
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        SSL_write(session, bytes, Int32(bytes.count))
    }

    /// Sends `close_notify`.
    func sendCloseNotify() { SSL_shutdown(session) }
}

/// A copy of a certificate that ended an hour ago, signed with the same key.
/// - Returns: PEM.
func expired(certificate: String, key: String) -> String {
    let certificate = certificate.withBIO { PEM_read_bio_X509($0, nil, nil, nil) }
    let key = key.withBIO { PEM_read_bio_PrivateKey($0, nil, nil, nil) }
    defer {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200)
    X509_gmtime_adj(X509_getm_notAfter(certificate), -3600)
    X509_sign(certificate, key, EVP_sha256())
    let output = BIO_new(BIO_s_mem())
    defer { BIO_free_all(output) }
    PEM_write_bio_X509(output, certificate)
    var space = [UInt8](repeating: 0, count: 16 << 10)
    let count = BIO_read(output, &space, Int32(space.count))
    return String(decoding: space[..<Int(count)], as: UTF8.self)
}

extension String {
    fileprivate func withBIO<Result>(_ body: (OpaquePointer?) -> Result) -> Result {
        let bytes = Array(utf8)
        let source = BIO_new_mem_buf(bytes, Int32(bytes.count))
        defer { BIO_free_all(source) }
        return body(source)
    }
}
