internal import Base

/// One request from its start to its outcome, on whatever connections it takes. Loop-confined.
@safe final class HTTP1Call: @unchecked Sendable {
    // @unchecked: it is made and used on the client's loop; the handler of a cancellation only hands it back to the loop.
    // @safe: the continuation is resumed once, by `end`.

    /// Where the call is.
    enum Stage {
        case new
        /// It waits for a connection.
        case waiting
        case connecting(Connector)
        case exchanging(HTTP1Connection)
        case ended
    }

    private(set) var request: HTTPClientRequest
    let route: HTTP1Route
    let started = MonotonicTime.now
    var stage = Stage.new
    var timings = HTTPClientResponse.Timings()
    /// Whether a byte of the request may have been written, on any connection.
    var wasSent = false
    /// Whether the request goes to a new connection, because a reused one turned out to be dead.
    var needsNewConnection = false
    /// The rendered head.
    private(set) var head: [UInt8] = []
    private var waiter: UnsafeContinuation<Void, Never>?
    /// The outcome, once the call has ended.
    private var outcome: Outcome?
    /// Its place among the calls of its pool.
    var place = 0
    private var stallMark: (time: MonotonicTime, moved: Int)?

    init(_ request: HTTPClientRequest, route: HTTP1Route) {
        (self.request, self.route) = (request, route)
        if request.method == .get { self.request.body = [] }
    }

    /// Renders the head into `space`.
    func prepare(_ space: consuming [UInt8], _ waiter: UnsafeContinuation<Void, Never>) throws(HTTPClientError) {
        unsafe self.waiter = waiter
        // Emptied before it is kept: a second reference would make the array allocate another buffer.
        space.removeAll(keepingCapacity: true)
        // Field by field: the whole request would be copied.
        try HTTPClientRequest.renderHead(
            request.method, route.target, request.prepared, request.headers, bodyCount: bodyCount, into: &space)
        head = space
    }

    var bodyCount: Int { request.body.reduce(0) { $0 + $1.count } }

    /// Prepares the call for another connection: the one that it was on has turned out to be dead.
    func restart() {
        needsNewConnection = true
        stage = .new
        (timings, stallMark) = (.init(), nil)
    }

    /// The time since the start.
    var elapsed: Duration { MonotonicTime.now - started }

    /// The answer to the call, complete at `now`.
    func response(_ answer: AnswerParser, _ connection: HTTP1Connection, at now: MonotonicTime) -> HTTPClientResponse {
        timings.total = now - started
        return HTTPClientResponse(
            status: answer.status, headers: answer.headers, body: answer.body, timings: timings,
            peer: connection.peer, isReusedConnection: connection.exchanges > 1, isHTTP2: false)
    }

    /// Delivers the outcome, once, and drops what the request held.
    /// - Returns: the head's buffer, to be reused.
    func end(_ outcome: Outcome) -> [UInt8] {
        stage = .ended
        request.body = []
        self.outcome = outcome
        unsafe waiter.take()?.resume()
        defer { head = [] }
        return head
    }

    /// The outcome of a call that has ended.
    func takeOutcome() -> Outcome {
        guard let outcome = outcome.take() else { preconditionFailure("a call has ended before its waiter resumes") }
        return outcome
    }

    // MARK: Deadlines

    /// Begins to watch the progress on a connection.
    func beginProgress(at now: MonotonicTime) { stallMark = request.stall.map { _ in (now, 0) } }

    /// The next time at which ``isDue(at:)`` may be true.
    var deadline: MonotonicTime {
        let end = started + request.timeout
        guard let stallMark, let stall = request.stall else { return end }
        return min(end, stallMark.time + stall.duration)
    }

    /// Whether a deadline has passed: that for everything, or that for progress.
    func isDue(at now: MonotonicTime) -> Bool {
        if now >= started + request.timeout { return true }
        guard let mark = stallMark, let stall = request.stall, now >= mark.time + stall.duration else { return false }
        let moved = if case .exchanging(let connection) = stage { connection.moved } else { 0 }
        let wanted = Double(stall.bytesPerSecond) * (now - mark.time).seconds
        stallMark = (now, moved)
        return Double(moved - mark.moved) < wanted
    }
}
