internal import EventLoop
internal import Sockets

/// A TLS handshake in progress. Loop-confined. It owns the socket until the handshake has succeeded.
final class Handshake {
    private let session: TLSSession
    private unowned let pool: HTTP1Pool
    private let onEnd: (String?) -> Void
    private var reading: SocketWatch?
    private var writing: SocketWatch?

    /// - Parameter onEnd: called once with nil, or with the reason why it failed; not after ``abort()``.
    init(_ session: TLSSession, pool: HTTP1Pool, onEnd: @escaping (String?) -> Void) {
        (self.session, self.pool, self.onEnd) = (session, pool, onEnd)
    }

    /// Sends and receives what is possible now, and goes on when the socket is ready.
    func proceed() {
        switch unsafe session.receive(into: pool.space) {
        case .handshaken:
            (reading, writing) = (nil, nil)
            onEnd(nil)
        case .bytes: onEnd("the peer has closed the connection in the handshake")
        case .failed: onEnd(session.failure ?? "the connection was reset in the handshake")
        case .blocked, .unfinished: wait()
        }
    }

    /// Stops, and closes the socket.
    func abort() {
        (reading, writing) = (nil, nil)
        Transport.tls(session).close()
    }

    private func wait() {
        if reading == nil { reading = watch(.read) }
        if !session.readNeedsWritable {
            writing = nil
        } else if writing == nil {
            writing = watch(.write)
        }
    }

    private func watch(_ events: SocketEvents) -> SocketWatch {
        SocketWatch(loop: pool.loop, descriptor: session.descriptor, events: events) { [unowned self] _ in proceed() }
    }
}
