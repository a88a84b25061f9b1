internal import Base

/// What the server does to connections when it stops or is full.
extension Connection {
    /// How long the connection has been idle; nil if it is not. It is also idle if the client has sent nothing of a TLS
    /// handshake.
    var idleness: Idleness? {
        guard lifecycle.phase == .idle, let deadline = timer.deadline, transport.isReady || !transport.hasReceived
        else { return nil }
        let patience = transport.isReady ? configuration.idleTimeout : configuration.headTimeout
        return Idleness(since: deadline + (.zero - patience), isStranger: !wasServed)
    }

    /// Answers 503 to a request that has not completely arrived: there is no time left for the rest.
    func refuseUnread() {
        switch lifecycle.phase {
        case .readingHead: refuse(HeadFault(503, "The server is stopping. Send the request again."), nil)
        case .handling where body.remainder != .nothing: exchange?.task?.cancel()
        default: break
        }
    }

    /// Closes the connection if no part of another request has arrived.
    func stopWhenIdle() {
        guard lifecycle.phase == .idle else { return }
        input.isReadable = true
        readHead()
        happened(.stopping)
    }
}
