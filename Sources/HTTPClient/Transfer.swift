internal import Base
internal import CCurl
internal import Glibc

typealias Outcome = Result<HTTPClientResponse, HTTPClientError>

/// One easy handle, and the request in flight on it. It is reused for one request after the other.
///
/// libcurl holds an unretained pointer to it from `init` to `deinit`, which frees the handle first; the pool keeps it
/// alive for as long as the handle is in the multi handle.
@safe final class Transfer {
    let handle: EasyHandle
    private let options: TransferOptions
    private let configuration: HTTPClientConfiguration
    fileprivate let sockets: SocketTable

    private var request: HTTPClientRequest
    private var body = RequestBody([])
    private var answer: AnswerReader
    private var waiter: CheckedContinuation<Outcome, Never>?
    /// How many times the request was about to be written to a connection; libcurl may do so again.
    private var attempts = 0
    private var addressesPermitted = 0
    private(set) var addressesRefused = 0
    private var isResendRefused = false

    /// Identifies the request in flight, so that it can be cancelled.
    private(set) var ticket: UInt64 = 0

    /// Makes a transfer with a new easy handle.
    /// - Parameters:
    ///   - sockets: told of sockets opened and closed; outlives every connection.
    ///   - share: the TLS sessions that the pool's connections share.
    init(configuration: HTTPClientConfiguration, sockets: SocketTable, share: UnsafeMutableRawPointer)
        throws(HTTPClientError)
    {
        guard let raw = unsafe curl_easy_init() else {
            throw .noMemory
        }
        handle = unsafe EasyHandle(raw: raw)
        options = TransferOptions(handle, configuration: configuration)
        self.configuration = configuration
        self.sockets = sockets
        request = HTTPClientRequest(.get, "")
        answer = AnswerReader(configuration, maximumBody: 0)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe setCallbacks(context: context)
        // libcurl copies the close callback and its context from the first handle of a connection, so all handles have
        // the same.
        unsafe handle.set(CURLOPT_CLOSESOCKETDATA, pointer: Unmanaged.passUnretained(sockets).toOpaque())
        unsafe handle.set(CURLOPT_SHARE, pointer: share)
        if handle.lacksMemory { throw .noMemory }
    }

    deinit { unsafe curl_easy_cleanup(handle.raw) }

    private func setCallbacks(context: UnsafeMutableRawPointer) {
        let contexts = [
            CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_READDATA, CURLOPT_OPENSOCKETDATA,
            CURLOPT_PREREQDATA,
        ]
        for option in contexts { unsafe handle.set(option, pointer: context) }
        unsafe handle.set(CURLOPT_WRITEFUNCTION, stream: onBody)
        unsafe handle.set(CURLOPT_HEADERFUNCTION, stream: onHeadLine)
        unsafe handle.set(CURLOPT_READFUNCTION, stream: onReadBody)
        _ = unsafe ccurl_set_open_socket(handle.raw, onOpenSocket)
        _ = unsafe ccurl_set_close_socket(handle.raw, onCloseSocket)
        _ = unsafe ccurl_set_before_request(handle.raw, requestIsAboutToBeWritten)
    }

    /// The transfer that a handle belongs to.
    static func of(_ raw: UnsafeMutableRawPointer) -> Transfer? {
        var context: UnsafePointer<CChar>?
        _ = unsafe ccurl_get_text(raw, CURLINFO_PRIVATE, &context)
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    /// Whether to reuse the handle for another request: not if it keeps a large buffer.
    var isWorthKeeping: Bool { !options.hasLargeBuffer }
    /// Body bytes handed to libcurl, and received.
    var traffic: (sent: Int, received: Int) { (body.handedOut, answer.bodyCount) }

    // MARK: One request

    /// Prepares the handle for `request`.
    func prepare(_ request: HTTPClientRequest, ticket: UInt64) throws(HTTPClientError) {
        body = RequestBody(request.method == .post ? request.body : [])
        try options.apply(request, bodyCount: body.count)
        self.request = request
        self.ticket = ticket
        answer = AnswerReader(configuration, maximumBody: request.maximumAnswer, keepsBody: request.keepsAnswer)
        (attempts, addressesPermitted, addressesRefused, isResendRefused) = (0, 0, 0, false)
    }

    /// Sets the continuation that is resumed with the outcome.
    func begin(_ waiter: CheckedContinuation<Outcome, Never>) { self.waiter = waiter }

    /// Delivers the outcome, once, and releases what the request held. The handle has already left the multi handle.
    func finish(_ outcome: Outcome) {
        let waiter = waiter.take()
        body = RequestBody([])
        request.body = []
        answer = AnswerReader(configuration, maximumBody: 0)
        waiter?.resume(returning: outcome)
    }

    /// Whether a byte of the request may have been written. Over HTTP/2, libcurl counts bytes too late to be certain.
    var wasSent: Bool {
        attempts > 0
            && (body.handedOut > 0 || request.version != .http1 || handle.long(CURLINFO_REQUEST_SIZE) > 0)
    }

    /// What libcurl's result means for the caller.
    func outcome(_ result: CURLcode) -> Outcome {
        if result == CURLE_OK, answer.violation == nil, answer.isHeadComplete { return .success(response()) }
        return .failure(failure(result))
    }

    private func failure(_ result: CURLcode) -> HTTPClientError {
        // If libcurl reports no error, the head is incomplete.
        var code = result == CURLE_OK ? .closed : HTTPClientError.Code(result)
        var detail = describe(result)
        if let violation = answer.violation { (code, detail) = (.tooLarge, violation.rawValue) }
        // libcurl also reports this for a line that exceeds its own limit.
        if result == CURLE_OUT_OF_MEMORY, attempts > 0 { code = .tooLarge }
        if addressesRefused > 0, addressesPermitted == 0 {
            (code, detail) = (.addressRefused, "the policy forbids the host's address")
        }
        if isResendRefused { (code, detail) = (.sendInterrupted, "libcurl would have sent the request again") }
        if code == .malformed, attempts == 0 { code = .invalidRequest }
        if code == .closed, request.method == .post, wasSent, !answer.hasBegun { code = .sendInterrupted }
        let system = handle.long(CURLINFO_OS_ERRNO)
        if system != 0 { detail += "; \(unsafe String(cString: strerror(Int32(truncatingIfNeeded: system))))" }
        return HTTPClientError(code, wasSent: wasSent, detail: detail)
    }

    private func response() -> HTTPClientResponse {
        HTTPClientResponse(
            status: handle.long(CURLINFO_RESPONSE_CODE), headers: answer.headers, body: answer.body,
            timings: .init(
                nameLookup: handle.time(CURLINFO_NAMELOOKUP_TIME_T), connect: handle.time(CURLINFO_CONNECT_TIME_T),
                tls: handle.time(CURLINFO_APPCONNECT_TIME_T), firstByte: handle.time(CURLINFO_STARTTRANSFER_TIME_T),
                total: handle.time(CURLINFO_TOTAL_TIME_T)),
            peer: handle.text(CURLINFO_PRIMARY_IP).flatMap { IPAddress($0) },
            isReusedConnection: handle.long(CURLINFO_NUM_CONNECTS) == 0,
            isHTTP2: handle.long(CURLINFO_HTTP_VERSION) == CURL_HTTP_VERSION_2_0)
    }

    // MARK: What libcurl asks for

    fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe answer.take(body: bytes, expected: handle.offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T))
    }

    fileprivate func take(line bytes: UnsafeRawBufferPointer) -> Bool { unsafe answer.take(line: bytes) }

    fileprivate func readBody(into space: UnsafeMutableRawBufferPointer) -> Int { unsafe body.read(into: space) }

    fileprivate func permits(_ address: IPAddress?) -> Bool {
        let isPermitted = address.map(request.addressPolicy.permits) ?? !request.addressPolicy.isPublicOnly
        if isPermitted { addressesPermitted += 1 } else { addressesRefused += 1 }
        return isPermitted
    }

    /// Checks the peer of the chosen connection, which may be a reused one, and keeps a POST from being sent twice.
    fileprivate func mayBeWritten(to peer: UnsafePointer<CChar>?) -> Bool {
        if attempts > 0, request.method == .post, wasSent {
            isResendRefused = true
            return false
        }
        guard request.addressPolicy.isPublicOnly else {
            attempts += 1
            return true
        }
        addressesPermitted = 0
        guard permits(unsafe peer.flatMap { unsafe IPAddress(String(cString: $0)) }) else { return false }
        attempts += 1
        return true
    }
}

// MARK: C callbacks: each recovers the transfer, which its handle does not outlive

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer {
    guard let context = unsafe context else { preconditionFailure("libcurl has lost its context") }
    return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
}

private func onBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let isTaken = unsafe transfer(context).take(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return isTaken ? size * count : Int(CURL_WRITEFUNC_ERROR)
}

private func onHeadLine(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    let isTaken = unsafe transfer(context).take(line: UnsafeRawBufferPointer(start: bytes, count: size * count))
    return isTaken ? size * count : Int(CURL_WRITEFUNC_ERROR)
}

private func onReadBody(
    _ space: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    unsafe transfer(context).readBody(into: UnsafeMutableRawBufferPointer(start: space, count: size * count))
}

private func onOpenSocket(
    _ context: UnsafeMutableRawPointer?, _: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address = unsafe address else { return CURL_SOCKET_BAD }
    let transfer = unsafe transfer(context)
    // The address may be longer than its declared type; libcurl has room for any address behind it.
    let start = unsafe UnsafeRawPointer(address) + (MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0)
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(address.pointee.addrlen))
    guard transfer.permits(unsafe IPAddress(socketAddress: bytes)) else { return CURL_SOCKET_BAD }
    return transfer.sockets.open(
        family: unsafe address.pointee.family, type: unsafe address.pointee.socktype,
        protocol: unsafe address.pointee.protocol)
}

private func onCloseSocket(_ context: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t) -> Int32 {
    guard let context = unsafe context else { return 1 }
    return unsafe Unmanaged<SocketTable>.fromOpaque(context).takeUnretainedValue().close(descriptor)
}

private func requestIsAboutToBeWritten(
    _ context: UnsafeMutableRawPointer?, _ peer: UnsafeMutablePointer<CChar>?, _: UnsafeMutablePointer<CChar>?,
    _: Int32, _: Int32
) -> Int32 {
    unsafe transfer(context).mayBeWritten(to: peer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
