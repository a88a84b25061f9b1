internal import Base
internal import CCurl

extension AddressPolicy {
    /// Checks a URL before it is used; `nil` means that the address is checked when connecting.
    ///
    /// The URL is parsed by libcurl's own parser (`curl_url_set`), so that the check and the transfer see the same
    /// host.
    public func refusal(of url: String) -> Refusal? {
        guard let parts = URLParts(url) else { return .malformed }
        if parts.scheme != "http", parts.scheme != "https" { return .scheme }
        if parts.hasUserInfo { return .userInfo }
        if url.utf8.contains(UInt8(ascii: "#")) { return .fragment }
        guard let host = parts.host, !host.isEmpty else { return .malformed }
        guard let address = IPAddress(host) else { return nil }
        return permits(address) ? nil : .address
    }
}

/// The parts of a URL that are checked.
private struct URLParts {
    var scheme: String
    var hasUserInfo: Bool
    /// In lower case, without brackets, zone and trailing dot. IPv4 in any spelling becomes four decimal numbers.
    var host: String?

    init?(_ url: String) {
        guard url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), let separator = url.firstRange(of: "://") else {
            return nil
        }
        scheme = url[..<separator.lowerBound].lowercased()
        let rest = url[separator.upperBound...]
        if scheme != "http", scheme != "https" {
            (hasUserInfo, host) = (false, nil)
            return
        }
        guard !rest.hasPrefix("/"), let handle = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(handle) }
        guard unsafe curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK else { return nil }
        hasUserInfo = unsafe Self.part(CURLUPART_USER, of: handle) != nil
        host = unsafe Self.part(CURLUPART_HOST, of: handle).flatMap(Self.normalized)
    }

    private static func normalized(_ host: String) -> String? {
        var name = host.lowercased()
        if name.hasPrefix("[") { return String(name.dropFirst().prefix { $0 != "]" && $0 != "%" }) }
        guard name.hasSuffix(".") else { return name }
        while name.hasSuffix(".") { name.removeLast() }
        // Without its trailing dot, a number may turn out to be an address.
        guard let handle = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(handle) }
        guard unsafe curl_url_set(handle, CURLUPART_URL, "http://\(name)/", 0) == CURLUE_OK else { return name }
        return unsafe part(CURLUPART_HOST, of: handle)
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
