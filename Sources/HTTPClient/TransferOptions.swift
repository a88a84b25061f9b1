internal import Base
internal import CCurl

/// The options of one easy handle: those that are set once, and those that were set last, so that only changes are set
/// on a reused handle.
@safe final class TransferOptions {
    private let handle: EasyHandle
    private let defaultCAFile: String?
    private var last: HTTPClientRequest?
    private var lines: UnsafeMutablePointer<curl_slist>?
    /// Whether the handle has an enlarged send buffer, which it would keep.
    private(set) var hasLargeBuffer = false

    /// Bodies from this size on get the largest send buffer that libcurl allows.
    private static let largeBody = 256 << 10
    private static let largeBuffer = 2 << 20
    /// Bodies up to this size are sent together with the head if they are in one piece.
    private static let smallBody = 16 << 10

    init(_ handle: EasyHandle, configuration: HTTPClientConfiguration) {
        self.handle = handle
        defaultCAFile = handle.text(CURLINFO_CAINFO)
        setConstants(configuration)
    }

    /// The handle must be freed by then: libcurl reads the list for as long as a transfer lasts.
    deinit { unsafe curl_slist_free_all(lines) }

    private func setConstants(_ configuration: HTTPClientConfiguration) {
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_NOSIGNAL, 1),
            // Without it, a slow name look-up blocks the loop when its transfer is cancelled.
            (CURLOPT_QUICK_EXIT, 1),
            (CURLOPT_FOLLOWLOCATION, 0),
            (CURLOPT_HTTP09_ALLOWED, 0),
            (CURLOPT_SSL_VERIFYPEER, 1),
            (CURLOPT_SSL_VERIFYHOST, 2),
            (CURLOPT_TCP_NODELAY, 1),
            (CURLOPT_TCP_KEEPALIVE, 1),
            (CURLOPT_MAXAGE_CONN, wholeSeconds(configuration.idleTimeout)),
            (CURLOPT_DNS_CACHE_TIMEOUT, wholeSeconds(configuration.nameCacheTime)),
        ]
        for (option, value) in numbers { handle.set(option, value) }
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        // An empty string means "no proxy, whatever the environment says"; a proxy of the request replaces it.
        handle.set(CURLOPT_PROXY, "")
        handle.set(CURLOPT_NOPROXY, "")
        // With a directory set, libcurl reads the file of certificate authorities again for each connection.
        handle.set(CURLOPT_CAPATH, nil)
    }

    /// Sets the options that differ from the last request on this handle.
    func apply(_ request: HTTPClientRequest, bodyCount: Int) throws(HTTPClientError) {
        if let flaw = request.flaw { throw HTTPClientError(.invalidRequest, wasSent: false, detail: flaw) }
        try applyHeaders(request)
        applyLimits(request)
        if last?.url != request.url { handle.set(CURLOPT_URL, request.url) }
        if last?.version != request.version {
            handle.set(CURLOPT_HTTP_VERSION, request.version == .http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)
            handle.set(CURLOPT_PIPEWAIT, request.version == .http1 ? 0 : 1)
        }
        if last?.proxy != request.proxy { handle.set(CURLOPT_PROXY, request.proxy ?? "") }
        if last?.caFile != request.caFile { handle.set(CURLOPT_CAINFO, request.caFile ?? defaultCAFile) }
        applyMethod(request, bodyCount: bodyCount)
        try checkMemory()
        last = request
        last?.body = []
    }

    /// Throws if libcurl ran out of memory. The next request on the handle then sets everything again.
    private func checkMemory() throws(HTTPClientError) {
        guard handle.lacksMemory else { return }
        handle.lacksMemory = false
        last = nil
        throw .noMemory
    }

    private func applyMethod(_ request: HTTPClientRequest, bodyCount: Int) {
        if last?.method != request.method {
            handle.set(request.method == .get ? CURLOPT_HTTPGET : CURLOPT_POST, 1)
        }
        guard request.method == .post else { return }
        handle.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: bodyCount)
        applySmallBody(request.body)
        if bodyCount >= Self.largeBody, !hasLargeBuffer {
            handle.set(CURLOPT_UPLOAD_BUFFERSIZE, Self.largeBuffer)
            hasLargeBuffer = true
        }
    }

    /// Makes libcurl write a small body together with the head: one system call, where the read callback takes two.
    ///
    /// libcurl could rewind such a body and send it again on its own; `Transfer` forbids that before each attempt.
    private func applySmallBody(_ body: [ByteSlice]) {
        let isSmall = body.count == 1 && body[0].count > 0 && body[0].count <= Self.smallBody
        // The transfer keeps the slice until its handle has left the multi handle; the bytes do not move until then.
        let start = unsafe isSmall ? body[0].withUnsafeBytes { $0.baseAddress } : nil
        unsafe handle.set(CURLOPT_POSTFIELDS, pointer: UnsafeMutableRawPointer(mutating: start))
    }

    private func applyLimits(_ request: HTTPClientRequest) {
        if last?.connectTimeout != request.connectTimeout {
            handle.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connectTimeout))
        }
        if last?.timeout != request.timeout { handle.set(CURLOPT_TIMEOUT_MS, milliseconds(request.timeout)) }
        if last == nil || last?.stall != request.stall {
            handle.set(CURLOPT_LOW_SPEED_LIMIT, request.stall?.bytesPerSecond ?? 0)
            handle.set(CURLOPT_LOW_SPEED_TIME, request.stall.map { wholeSeconds($0.duration) } ?? 0)
        }
        if last?.maximumAnswer != request.maximumAnswer {
            handle.set(CURLOPT_MAXFILESIZE_LARGE, offset: max(1, request.maximumAnswer))
        }
    }

    private func applyHeaders(_ request: HTTPClientRequest) throws(HTTPClientError) {
        let fields = request.fields
        if let last, last.method == request.method, last.fields.elementsEqual(fields, by: ==) { return }
        // `Expect` would cost a round trip or a wait of a second, and libcurl's default content type, a form's, is
        // wrong.
        var texts = request.method == .post ? ["Expect:"] : []
        if !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            texts.append("Content-Type:")
        }
        for (name, value) in fields {
            guard let line = HTTPClientRequest.line(name, value) else {
                throw HTTPClientError(.invalidRequest, wasSent: false, detail: "header field \(name.debugDescription)")
            }
            texts.append(line)
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for text in texts {
            guard let longer = unsafe curl_slist_append(list, text) else {
                unsafe curl_slist_free_all(list)
                throw .noMemory
            }
            unsafe list = longer
        }
        unsafe handle.set(CURLOPT_HTTPHEADER, pointer: list)
        unsafe curl_slist_free_all(lines)
        unsafe lines = list
    }
}

private func milliseconds(_ duration: Duration) -> Int { max(1, Int(duration.nanoseconds / 1_000_000)) }
private func wholeSeconds(_ duration: Duration) -> Int { max(1, Int(duration.nanoseconds / 1_000_000_000)) }
