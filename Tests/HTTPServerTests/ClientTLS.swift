import COpenSSL

/// A client's TLS session between two memory buffers: the test decides how its bytes are cut and when they are sent.
final class ClientTLS {
    private let context: OpaquePointer
    private let session: OpaquePointer
    private let incoming = BIO_new(BIO_s_mem())
    private let outgoing = BIO_new(BIO_s_mem())

    /// The result of a step.
    enum Step: Equatable { case done([UInt8]), wantsInput, ended, failed(String) }

    /// - Parameters:
    ///   - authority: the path of the certificate to trust.
    ///   - protocols: the protocols that are offered by ALPN.
    init(authority: String, newest: Int32 = TLS1_3_VERSION, protocols: [String] = ["http/1.1"]) {
        context = SSL_CTX_new(TLS_client_method())
        SSL_CTX_load_verify_locations(context, authority, nil)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(newest), nil)
        // Otherwise a distribution's client does not even offer what the server has to refuse.
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_VERSION), nil)
        SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0")
        session = SSL_new(context)
        let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        SSL_set_alpn_protos(session, list, UInt32(list.count))
        SSL_set1_host(session, "localhost")
        SSL_set_bio(session, incoming, outgoing)
        SSL_set_connect_state(session)
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    func performHandshake() -> Step { step(SSL_do_handshake(session)) { [] } }

    func decrypt() -> Step {
        var space = [UInt8](repeating: 0, count: 65536)
        let count = SSL_read(session, &space, Int32(space.count))
        return step(count) { Array(space[..<Int(count)]) }
    }

    /// Makes a record, or several for more than 16 KiB.
    func encrypt(_ bytes: [UInt8]) { SSL_write(session, bytes, Int32(bytes.count)) }

    /// Makes records without application data.
    func updateKeys(times: Int) {
        for _ in 0..<times {
            SSL_key_update(session, SSL_KEY_UPDATE_NOT_REQUESTED)
            SSL_do_handshake(session)
        }
    }

    /// Makes a `close_notify`.
    func sendCloseNotify() { SSL_shutdown(session) }

    func received(_ bytes: [UInt8]) { BIO_write(incoming, bytes, Int32(bytes.count)) }

    /// Returns the bytes to send.
    func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(outgoing))
        return BIO_read(outgoing, &bytes, Int32(bytes.count)) > 0 ? bytes : []
    }

    var version: String { String(cString: SSL_get_version(session)) }

    var chosenProtocol: String {
        var (text, count): (UnsafePointer<UInt8>?, UInt32) = (nil, 0)
        SSL_get0_alpn_selected(session, &text, &count)
        return String(decoding: UnsafeBufferPointer(start: text, count: Int(count)), as: UTF8.self)
    }

    private func step(_ result: Int32, _ value: () -> [UInt8]) -> Step {
        if result > 0 { return .done(value()) }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .ended
        default: return .failed(ERR_reason_error_string(ERR_get_error()).map { String(cString: $0) } ?? "?")
        }
    }
}
