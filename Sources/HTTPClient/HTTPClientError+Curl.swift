internal import CCurl

extension HTTPClientError.Code {
    /// Maps a result of libcurl to a code, unless the transfer knows better.
    init(_ result: CURLcode) {
        self = Self.table[result.rawValue] ?? .other
    }

    private static let table: [UInt32: Self] = [
        CURLE_URL_MALFORMAT.rawValue: .invalidRequest,
        CURLE_COULDNT_RESOLVE_HOST.rawValue: .nameLookup,
        CURLE_COULDNT_RESOLVE_PROXY.rawValue: .nameLookup,
        CURLE_COULDNT_CONNECT.rawValue: .connect,
        CURLE_PROXY.rawValue: .connect,
        CURLE_SSL_CONNECT_ERROR.rawValue: .tls,
        CURLE_PEER_FAILED_VERIFICATION.rawValue: .tls,
        CURLE_SSL_CACERT_BADFILE.rawValue: .tls,
        CURLE_SSL_CERTPROBLEM.rawValue: .tls,
        CURLE_SSL_CIPHER.rawValue: .tls,
        CURLE_SSL_ISSUER_ERROR.rawValue: .tls,
        CURLE_SSL_INVALIDCERTSTATUS.rawValue: .tls,
        CURLE_OPERATION_TIMEDOUT.rawValue: .timeout,
        CURLE_GOT_NOTHING.rawValue: .closed,
        CURLE_PARTIAL_FILE.rawValue: .closed,
        CURLE_SEND_ERROR.rawValue: .closed,
        CURLE_RECV_ERROR.rawValue: .closed,
        CURLE_HTTP2.rawValue: .closed,
        CURLE_HTTP2_STREAM.rawValue: .closed,
        CURLE_SEND_FAIL_REWIND.rawValue: .sendInterrupted,
        CURLE_FILESIZE_EXCEEDED.rawValue: .tooLarge,
        // CURLE_TOO_LARGE, since libcurl 8.6.0; older ones say CURLE_OUT_OF_MEMORY of a field without an end.
        100: .tooLarge,
        CURLE_UNSUPPORTED_PROTOCOL.rawValue: .malformed,
        CURLE_WEIRD_SERVER_REPLY.rawValue: .malformed,
        CURLE_BAD_CONTENT_ENCODING.rawValue: .malformed,
    ]
}
