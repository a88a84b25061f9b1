internal import Base
internal import HTTPServer
internal import TaskStore

/// What is known about one exchange, collected while it is answered, for its log line and for metrics.
final class ExchangeNote: @unchecked Sendable {
    // @unchecked: written by the exchange's handler and the work that it waits for, and read when the exchange has
    // ended; all of that runs on the connection's loop.

    let requestID: String
    /// The route of its path; nil if there is none.
    let match: RouteMatch?
    /// The format of its errors.
    var shape: Shape
    var tenant: String?
    var cause: Cause?
    /// The gateway's id of the task that it is about; for a job, of its first task.
    var task: TaskID?
    /// The account that the create was sent to.
    var account: String?
    /// The time spent waiting for Kling.
    private(set) var upstreamTime: Duration?
    private var waits = 0
    private var waitingSince: MonotonicTime?

    /// Holds back a task's callbacks until the exchange has ended. After that nothing is kept here.
    private(set) var hold: CallbackHold?
    private var hasEnded = false
    /// Whether its answer is streamed.
    private(set) var isStreamed = false

    /// The request's body, while its handler may run.
    var body: RequestBody?

    /// The create's entry among those that are remembered until their answers are read.
    var resend: ResendTicket?

    /// - Parameter head: nil if the head could not be parsed.
    convenience init(_ head: HTTPRequestHead?) {
        let match = head?.withPath { RouteMatch(path: $0) }
        let shape = match?.rules.shape ?? head?.withPath { RouteTree.shape(of: $0) }
        self.init(
            requestID: head.map { RequestID.of($0.headers) } ?? RequestID.made(), match: match, shape: shape ?? .kling)
    }

    init(requestID: String, match: RouteMatch? = nil, shape: Shape = .kling) {
        (self.requestID, self.match, self.shape) = (requestID, match, shape)
    }

    var route: Route? { match?.route }

    /// Keeps a hold for as long as the exchange lasts. The client may have left already.
    func keep(_ hold: CallbackHold) { if !hasEnded { self.hold = hold } }

    /// Records that the answer is streamed.
    /// - Returns: false if the exchange has already ended.
    func stream() -> Bool {
        isStreamed = !hasEnded
        return isStreamed
    }

    /// Records that the exchange has ended: answered, or abandoned, perhaps while it was waiting for Kling.
    func end() {
        addWait()
        hasEnded = true
        (hold, body) = (nil, nil)
    }

    /// Records that the exchange waits for Kling until ``stopWaiting()``. Waits may overlap: such time counts once.
    func startWaiting() {
        if waits == 0 { waitingSince = .now }
        waits += 1
    }

    func stopWaiting() {
        waits -= 1
        if waits == 0 { addWait() }
    }

    private func addWait() {
        guard let start = waitingSince.take(), !hasEnded else { return }
        upstreamTime = (upstreamTime ?? .zero) + (MonotonicTime.now - start)
    }
}
