internal import Base

/// What a server does to connections from outside, when it stops or is full.
extension Connection {
    /// How long it has been idle; nil unless it is. Who has sent nothing of a TLS handshake is idle as well.
    var idleness: Idleness? {
        guard lifecycle.phase == .idle, let deadline, transport.isReady || !transport.hasReceived else { return nil }
        let patience = transport.isReady ? configuration.idleTimeout : configuration.headTimeout
        return Idleness(since: deadline + (.zero - patience), isStranger: !wasServed)
    }

    /// Answers 503 to a request that has not wholly arrived: there is no time left for the rest.
    func refuseUnread() {
        switch lifecycle.phase {
        case .readingHead: refuse(HeadFault(503, "The server is stopping. Send the request again."), nil)
        case .handling where body.remainder != .nothing: exchange?.task?.cancel()
        default: break
        }
    }

    /// Closes if no part of another request has arrived.
    func stopWhenIdle() {
        guard lifecycle.phase == .idle else { return }
        isReadable = true
        readHead()
        happened(.stopping)
    }
}
