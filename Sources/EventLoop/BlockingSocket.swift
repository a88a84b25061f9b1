package import Base
internal import CLibevent
internal import Glibc

/// A connected socket whose calls block, for a command that has nothing else to do.
package struct BlockingSocket: ~Copyable {
    private let descriptor: Int32

    /// Connects to `address`.
    /// - Parameters:
    ///   - patience: how long connecting may take, and then each write.
    ///   - silence: how long the peer may send nothing.
    /// - Throws: ``SystemCallError``.
    package init(
        to address: SocketAddress, within patience: Duration, silence: Duration
    ) throws(SystemCallError) {
        let family =
            switch address {
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            case .unix: AF_UNIX
            }
        descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { throw SystemCallError("socket for \(address)") }
        // On Linux, the timeout for writing is also that for connecting.
        for (option, time) in [(SO_SNDTIMEO, patience), (SO_RCVTIMEO, silence)] {
            let (seconds, attoseconds) = time.components
            var value = timeval()
            (value.tv_sec, value.tv_usec) = (Int(seconds), Int(attoseconds / 1_000_000_000_000))
            unsafe setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size))
        }
        guard unsafe address.withSystemAddress({ unsafe connect(descriptor, $0, $1) }) == 0 else {
            throw SystemCallError("connect to \(address)")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes all bytes.
    package func write(_ bytes: [UInt8]) throws(SystemCallError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemCallError("send") }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads what has arrived, and waits for the first byte.
    /// - Returns: nothing at the end of the stream.
    package func read() throws(SystemCallError) -> [UInt8] {
        var space = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe space.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count >= 0 { return Array(space.prefix(count)) }
            if errno != EINTR { throw SystemCallError("recv") }
        }
    }
}
