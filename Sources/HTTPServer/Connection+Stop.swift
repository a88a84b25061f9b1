internal import Base

/// What a server does to connections from outside, when it stops or is full.
extension Connection {
    /// When it closes by itself because nothing comes; nil unless it is idle. The earlier, the longer it has been.
    var idleDeadline: MonotonicTime? { lifecycle.phase == .idle && transport.isReady ? deadline : nil }

    /// Answers 503 to a request that has not wholly arrived: there is no time left for the rest.
    func refuseUnread() {
        switch lifecycle.phase {
        case .readingHead: refuse(HeadFault(503, "The server is stopping. Send the request again."), nil)
        case .handling where body.remainder != .nothing: exchange?.task?.cancel()
        default: break
        }
    }
}
