internal import Base

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What a connection reads from and writes to. Nothing here blocks.
enum Transport {
    /// The socket itself.
    case plain(descriptor: Int32)

    /// What came of reading or writing.
    enum Outcome: Hashable {
        /// That many bytes were moved; 0 in reading is the client's FIN.
        case bytes(Int)
        /// The socket must become ready first.
        case blocked
        /// The connection was reset or has failed.
        case failed
    }

    var descriptor: Int32 {
        switch self {
        case .plain(let descriptor): descriptor
        }
    }

    /// Reads what there is, at most as much as there is room for.
    func receive(into space: UnsafeMutableRawBufferPointer) -> Outcome {
        while true {
            let count = unsafe recv(descriptor, space.baseAddress, space.count, 0)
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.failure }
        }
    }

    /// Writes as much of the parts, one after the other, as there is room for. A client that is gone is no signal.
    func send(_ parts: UnsafeMutableBufferPointer<iovec>) -> Outcome {
        var message = unsafe msghdr()
        unsafe message.msg_iov = parts.baseAddress
        unsafe message.msg_iovlen = .init(parts.count)
        while true {
            let count = unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            if errno != EINTR { return Self.failure }
        }
    }

    private static var failure: Outcome { errno == EAGAIN || errno == EWOULDBLOCK ? .blocked : .failed }

    /// Whether the connection is beyond use in both directions; a FIN alone does not make it so.
    var isBroken: Bool {
        var state = pollfd(fd: descriptor, events: 0, revents: 0)
        return unsafe poll(&state, 1, 0) > 0 && Int32(state.revents) & (POLLERR | POLLHUP) != 0
    }

    /// Sends FIN.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes; `resets` sends RST in place of FIN.
    func close(resets: Bool = false) {
        if resets {
            var linger = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        }
        Glibc.close(descriptor)
    }

    /// Sends small pieces at once (`TCP_NODELAY`).
    func setUp() {
        var one: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}
