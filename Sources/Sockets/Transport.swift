internal import Base
package import Glibc

/// What a connection reads from and writes to. Nothing here blocks.
package enum Transport {
    /// The socket itself.
    case plain(descriptor: Int32)
    /// TLS over the socket.
    case tls(TLSSession)

    /// The result of a read or a write.
    package enum Outcome: Hashable {
        /// That many bytes were transferred; a read of 0 is the peer's end: its FIN, or `close_notify`.
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

    package var descriptor: Int32 {
        switch self {
        case .plain(let descriptor): descriptor
        case .tls(let session): session.descriptor
        }
    }

    /// Whether data can be transferred: no handshake is in progress.
    package var isReady: Bool {
        switch self {
        case .plain: true
        case .tls(let session): session.isHandshakeComplete
        }
    }

    /// Whether a byte has been read from a peer that has to perform a handshake; true on a plain connection.
    package var hasReceived: Bool {
        switch self {
        case .plain: true
        case .tls(let session): session.hasReceived
        }
    }

    /// Whether the connection begins with a handshake.
    package var beginsWithHandshake: Bool {
        if case .tls = self { true } else { false }
    }

    /// Reads what is available, at most as much as there is room for.
    package func receive(into space: UnsafeMutableRawBufferPointer) -> Outcome {
        if case .tls(let session) = self { return unsafe session.receive(into: space) }
        while true {
            let count = unsafe recv(descriptor, space.baseAddress, space.count, 0)
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.failure }
        }
    }

    /// Whether a read of `count` bytes, with room for `room`, may have left input that is not reported again.
    package func mayHoldMore(after count: Int, of room: Int) -> Bool {
        switch self {
        case .plain: count == room
        case .tls(let session): session.mayHoldMore
        }
    }

    /// Whether reading continues when the socket is writable.
    package var readNeedsWritable: Bool {
        switch self {
        case .plain: false
        case .tls(let session): session.readNeedsWritable
        }
    }

    /// Writes as much of the parts, in order, as there is room for. A peer that is gone does not raise SIGPIPE.
    package func send(_ parts: UnsafeMutableBufferPointer<iovec>) -> Outcome {
        if case .tls(let session) = self { return unsafe Self.sendRecord(parts, over: session) }
        var message = unsafe msghdr()
        unsafe message.msg_iov = parts.baseAddress
        unsafe message.msg_iovlen = .init(parts.count)
        while true {
            let count = unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.failure }
        }
    }

    /// The most data that a TLS record has.
    private static let recordSize = 16 << 10

    /// Writes one record. Small parts are joined, because each record costs a system call.
    ///
    /// After `.blocked`, OpenSSL must be given the same bytes again: the same parts give them.
    private static func sendRecord(_ parts: UnsafeMutableBufferPointer<iovec>, over session: TLSSession) -> Outcome {
        guard let first = unsafe parts.firstIndex(where: { unsafe $0.iov_len > 0 }) else { return .bytes(0) }
        let part = unsafe UnsafeRawBufferPointer(start: parts[first].iov_base, count: parts[first].iov_len)
        if part.count >= recordSize || first == parts.count - 1 { return unsafe session.send(part) }
        return unsafe withUnsafeTemporaryAllocation(byteCount: recordSize, alignment: 1) { space in
            var count = 0
            for index in first..<parts.count where count < recordSize {
                let bytes = unsafe UnsafeRawBufferPointer(start: parts[index].iov_base, count: parts[index].iov_len)
                let joined = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(recordSize - count))
                unsafe UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyMemory(from: joined)
                count += joined.count
            }
            return unsafe session.send(UnsafeRawBufferPointer(rebasing: space[..<count]))
        }
    }

    /// Writes as much of `bytes` as there is room for.
    package func send(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var part = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        return unsafe withUnsafeMutablePointer(to: &part) { part in
            unsafe send(UnsafeMutableBufferPointer(start: part, count: 1))
        }
    }

    private static var failure: Outcome { errno == EAGAIN || errno == EWOULDBLOCK ? .blocked : .failed }

    /// What has ended. There may still be bytes to read before that.
    package enum End {
        /// The peer has sent FIN. Detected where the system reports it (Linux).
        case peer
        /// The connection is unusable in both directions; a FIN alone does not make it so.
        case connection
    }

    /// What the system reports as ended; nil if nothing.
    package var end: End? {
        let finished: Int32 = 0x2000  // POLLRDHUP, which glibc only declares if its extensions are enabled
        var state = pollfd(fd: descriptor, events: Int16(finished), revents: 0)
        guard unsafe poll(&state, 1, 0) > 0 else { return nil }
        if Int32(state.revents) & (POLLERR | POLLHUP) != 0 { return .connection }
        return Int32(state.revents) & finished != 0 ? .peer : nil
    }

    /// How long ago the peer's last bytes reached this machine, to about 4 ms; nil where the system does not report
    /// it.
    package var inputAge: Duration? {
        var (info, size) = (tcp_info(), socklen_t(MemoryLayout<tcp_info>.size))
        guard unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else { return nil }
        return .milliseconds(Int64(info.tcpi_last_data_recv))
    }

    /// Whether the peer's system has acknowledged everything that was written, including a FIN (on a Unix-domain
    /// socket: whether the peer has read it). False on a connection that was reset before that.
    package var hasDeliveredAll: Bool {
        var rest: Int32 = 0
        return unsafe ioctl(descriptor, UInt(TIOCOUTQ), &rest) == 0 && rest == 0
    }

    /// Sends `close_notify` over TLS; does nothing on a plain connection.
    package func sendCloseNotify() -> Outcome {
        switch self {
        case .plain: .bytes(0)
        case .tls(let session): session.sendCloseNotify()
        }
    }

    /// Sends FIN.
    package func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes; `resets` sends RST in place of FIN.
    package func close(resets: Bool = false) {
        if !resets {
            _ = sendCloseNotify()
        } else {
            var linger = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        }
        Glibc.close(descriptor)
    }

    /// Makes small writes go out at once (`TCP_NODELAY`).
    package func setUp() {
        var one: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}
