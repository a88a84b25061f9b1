internal import Base
internal import CCurl

/// The place that a request goes to, from its URL.
///
/// libcurl's parser takes the URL apart, so that both paths see the same host. A URL that this path has no use for
/// (with a user name, with an IPv6 zone, or malformed) gives nil and is left to libcurl.
struct HTTP1Target {
    /// What a connection goes to.
    struct Origin: Hashable {
        var isSecure: Bool
        /// In lower case, without brackets; IPv4 in any spelling becomes four decimal numbers.
        var host: String
        var port: UInt16
    }

    let origin: Origin
    /// What follows the method in a head, up to the first field after `Host`.
    let line: [UInt8]

    init?(_ url: String) {
        guard url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), let parts = URLHandle(url),
            let scheme = parts[CURLUPART_SCHEME]?.lowercased(), scheme == "http" || scheme == "https",
            parts[CURLUPART_USER] == nil, parts[CURLUPART_PASSWORD] == nil, parts[CURLUPART_ZONEID] == nil,
            let host = parts[CURLUPART_HOST],
            let name = Self.name(host), let port = parts[CURLUPART_PORT].flatMap(UInt16.init), port > 0
        else { return nil }
        origin = Origin(isSecure: scheme == "https", host: name, port: port)
        let isDefault = port == (origin.isSecure ? 443 : 80)
        let path = parts[CURLUPART_PATH] ?? "/"
        let query = parts[CURLUPART_QUERY].map { "?\($0)" } ?? ""
        line = Array(" \(path)\(query) HTTP/1.1\r\nHost: \(host)\(isDefault ? "" : ":\(port)")\r\n".utf8)
    }

    private static func name(_ host: String) -> String? {
        if host.utf8.contains(UInt8(ascii: "%")) { return nil }
        if host.hasPrefix("[") {
            let address = String(host.dropFirst().dropLast())
            return IPAddress(address) == nil ? nil : address.lowercased()
        }
        // A trailing dot only says that the name is complete.
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        return name.isEmpty || name.hasSuffix(".") ? nil : name.lowercased()
    }
}

/// A `CURLU *`, which it owns.
@safe private final class URLHandle {
    private let handle: OpaquePointer

    /// nil if `url` cannot be parsed.
    init?(_ url: String) {
        guard let handle = unsafe curl_url() else { return nil }
        unsafe self.handle = handle
        if unsafe curl_url_set(handle, CURLUPART_URL, url, 0) != CURLUE_OK { return nil }
    }

    deinit { unsafe curl_url_cleanup(handle) }

    /// A part, with the scheme's default port if the URL has none.
    subscript(part: CURLUPart) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let flags = UInt32(CURLU_DEFAULT_PORT)
        guard unsafe curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
