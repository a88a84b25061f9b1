internal import Base
internal import Glibc

/// What a connection reads from and writes to. Nothing here blocks.
enum Transport {
    /// The socket itself.
    case plain(descriptor: Int32)
    /// TLS over the socket.
    case tls(TLSSession)

    /// The result of a read or a write.
    enum Outcome: Hashable {
        /// That many bytes were transferred; a read of 0 is the client's end: its FIN, or `close_notify`.
        case bytes(Int)
        /// The handshake is complete, and no data was read.
        case handshaken
        /// No data was read so far, but there is more to read in this connection's next turn.
        case unfinished
        /// The socket must become ready first.
        case blocked
        /// The connection was reset or has failed.
        case failed
    }

    var descriptor: Int32 {
        switch self {
        case .plain(let descriptor): descriptor
        case .tls(let session): session.descriptor
        }
    }

    /// Whether requests can arrive: no handshake is in progress.
    var isReady: Bool {
        switch self {
        case .plain: true
        case .tls(let session): session.isHandshakeComplete
        }
    }

    /// Whether a byte has been read from a client that has to perform a handshake; true on a plain connection.
    var hasReceived: Bool {
        switch self {
        case .plain: true
        case .tls(let session): session.hasReceived
        }
    }

    /// Whether the connection begins with a handshake.
    var beginsWithHandshake: Bool {
        if case .tls = self { true } else { false }
    }

    /// Reads what is available, at most as much as there is room for.
    func receive(into space: UnsafeMutableRawBufferPointer) -> Outcome {
        if case .tls(let session) = self { return unsafe session.receive(into: space) }
        while true {
            let count = unsafe recv(descriptor, space.baseAddress, space.count, 0)
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.failure }
        }
    }

    /// Whether a read of `count` bytes, with room for `room`, may have left input that is not reported again.
    func mayHoldMore(after count: Int, of room: Int) -> Bool {
        switch self {
        case .plain: count == room
        case .tls(let session): session.mayHoldMore
        }
    }

    /// Whether reading continues when the socket is writable.
    var readNeedsWritable: Bool {
        switch self {
        case .plain: false
        case .tls(let session): session.readNeedsWritable
        }
    }

    /// Writes as much of the parts, in order, as there is room for. A client that is gone does not raise SIGPIPE.
    func send(_ parts: UnsafeMutableBufferPointer<iovec>) -> Outcome {
        if case .tls(let session) = self {
            guard let part = unsafe parts.first(where: { unsafe $0.iov_len > 0 }) else { return .bytes(0) }
            return unsafe session.send(UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len))
        }
        var message = unsafe msghdr()
        unsafe message.msg_iov = parts.baseAddress
        unsafe message.msg_iovlen = .init(parts.count)
        while true {
            let count = unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.failure }
        }
    }

    /// Writes as much of `bytes` as there is room for.
    func send(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var part = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        return unsafe withUnsafeMutablePointer(to: &part) { part in
            unsafe send(UnsafeMutableBufferPointer(start: part, count: 1))
        }
    }

    private static var failure: Outcome { errno == EAGAIN || errno == EWOULDBLOCK ? .blocked : .failed }

    /// What has ended. There may still be bytes to read before that.
    enum End {
        /// The client has sent FIN. Detected where the system reports it (Linux).
        case client
        /// The connection is unusable in both directions; a FIN alone does not make it so.
        case connection
    }

    /// What the system reports as ended; nil if nothing.
    var end: End? {
        let finished: Int32 = 0x2000  // POLLRDHUP, which glibc only declares if its extensions are enabled
        var state = pollfd(fd: descriptor, events: Int16(finished), revents: 0)
        guard unsafe poll(&state, 1, 0) > 0 else { return nil }
        if Int32(state.revents) & (POLLERR | POLLHUP) != 0 { return .connection }
        return Int32(state.revents) & finished != 0 ? .client : nil
    }

    /// How long ago the client's last bytes reached this machine, to about 4 ms; nil where the system does not report
    /// it.
    var inputAge: Duration? {
        var (info, size) = (tcp_info(), socklen_t(MemoryLayout<tcp_info>.size))
        guard unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else { return nil }
        return .milliseconds(Int64(info.tcpi_last_data_recv))
    }

    /// Whether the client's system has acknowledged everything that was written, including a FIN (on a Unix-domain
    /// socket: whether the client has read it). False on a connection that was reset before that.
    var hasDeliveredAll: Bool {
        var rest: Int32 = 0
        return unsafe ioctl(descriptor, UInt(TIOCOUTQ), &rest) == 0 && rest == 0
    }

    /// Sends `close_notify` over TLS; does nothing on a plain connection.
    func sendCloseNotify() -> Outcome {
        switch self {
        case .plain: .bytes(0)
        case .tls(let session): session.sendCloseNotify()
        }
    }

    /// Sends FIN.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes; `resets` sends RST in place of FIN.
    func close(resets: Bool = false) {
        if !resets {
            _ = sendCloseNotify()
        } else {
            var linger = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        }
        Glibc.close(descriptor)
    }

    /// Makes small writes go out at once (`TCP_NODELAY`).
    func setUp() {
        var one: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}
