internal import CCurl

extension HTTPClientResponse {
    /// Where a redirect leads (RFC 9110 section 10.2.2): its `Location`, taken relative to `url`, which was asked, without
    /// a fragment. Nil if there is no such field, or none that can be understood.
    ///
    /// Nothing is judged of it: ask ``AddressPolicy/refusal(of:)`` before it is followed.
    public func redirectTarget(from url: String) -> String? {
        guard let location = headers["Location"], !location.isEmpty else { return nil }
        return Self.resolve(location, against: url)
    }

    private static func resolve(_ reference: String, against url: String) -> String? {
        guard let handle = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(handle) }
        // Set a second time, a URL is taken as relative to the first. Spaces and letters beyond ASCII are encoded.
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
