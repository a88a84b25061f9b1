internal import CCurl

/// A `CURL *` with typed options. It neither owns nor frees it.
@safe final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    /// Whether libcurl had no memory for an option: what the handle has then is not what was asked for.
    var lacksMemory = false

    init(raw: UnsafeMutableRawPointer) { unsafe self.raw = raw }

    // A refused option is a fault in this module: every option used exists in the oldest libcurl that is supported, and
    // values are checked before they come here. Only memory can run out.
    func set(_ option: CURLoption, _ value: Int) { check(unsafe ccurl_set_long(raw, option, value), option) }
    func set(_ option: CURLoption, offset value: Int) {
        check(unsafe ccurl_set_offset(raw, option, curl_off_t(value)), option)
    }
    func set(_ option: CURLoption, _ value: String?) {
        guard let value else { return check(unsafe ccurl_set_text(raw, option, nil), option) }
        check(unsafe ccurl_set_text(raw, option, value), option)
    }
    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        check(unsafe ccurl_set_pointer(raw, option, pointer), option)
    }
    func set(_ option: CURLoption, stream function: curl_write_callback) {
        check(unsafe ccurl_set_stream(raw, option, function), option)
    }

    private func check(_ result: CURLcode, _ option: CURLoption) {
        if result == CURLE_OUT_OF_MEMORY { return lacksMemory = true }
        precondition(result == CURLE_OK, "curl_easy_setopt \(option.rawValue): \(describe(result))")
    }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        _ = unsafe ccurl_get_long(raw, info, &value)
        return value
    }

    /// One of the `…_T` times, which count microseconds.
    func time(_ info: CURLINFO) -> Duration { .microseconds(offset(info)) }

    func offset(_ info: CURLINFO) -> Int {
        var value: curl_off_t = 0
        _ = unsafe ccurl_get_offset(raw, info, &value)
        return Int(value)
    }

    func text(_ info: CURLINFO) -> String? {
        var value: UnsafePointer<CChar>?
        _ = unsafe ccurl_get_text(raw, info, &value)
        return unsafe value.map { unsafe String(cString: $0) }
    }
}

/// libcurl's words for a result.
func describe(_ result: CURLcode) -> String {
    unsafe "curl \(result.rawValue): \(String(cString: curl_easy_strerror(result)))"
}
