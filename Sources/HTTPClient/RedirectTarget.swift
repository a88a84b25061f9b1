internal import CCurl

extension HTTPClientResponse {
    /// Returns where a redirect leads (RFC 9110 section 10.2.2): its `Location`, resolved against the requested `url`,
    /// without a fragment. Nil if the field is missing or cannot be parsed.
    ///
    /// The target is not checked: call ``AddressPolicy/refusal(of:)`` before following it.
    public func redirectTarget(from url: String) -> String? {
        guard let location = headers["Location"], !location.isEmpty else { return nil }
        return Self.resolve(location, against: url)
    }

    private static func resolve(_ reference: String, against url: String) -> String? {
        guard let handle = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(handle) }
        // A URL that is set second is resolved against the first. Spaces and non-ASCII letters are encoded.
        guard unsafe curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK,
            unsafe curl_url_set(handle, CURLUPART_URL, reference, UInt32(CURLU_URLENCODE)) == CURLUE_OK,
            unsafe curl_url_set(handle, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK
        else { return nil }
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, CURLUPART_URL, &text, 0) == CURLUE_OK, let text = unsafe text else {
            return nil
        }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
