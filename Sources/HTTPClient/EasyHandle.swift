internal import CCurl

/// A `CURL *` with typed options, which it neither owns nor frees.
@safe final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    /// Whether libcurl ran out of memory for an option: the handle's options are then not those that were asked for.
    var lacksMemory = false

    init(raw: UnsafeMutableRawPointer) { unsafe self.raw = raw }

    // A refused option is a bug in this module: every option used exists in the oldest supported libcurl, and values
    // are checked before they get here. Only memory can run out.
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

    /// Reads one of the `…_T` times, which count microseconds.
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

/// Returns libcurl's description of a result.
func describe(_ result: CURLcode) -> String {
    unsafe "curl \(result.rawValue): \(String(cString: curl_easy_strerror(result)))"
}
