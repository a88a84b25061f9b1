package import Base
// libevent's headers include the system's: whichever module is loaded first has SOCK_STREAM.
internal import CLibevent
internal import Glibc

/// A non-blocking TCP socket that connects. The code that opens it must close it.
package enum ConnectingSocket {
    /// Opens a socket and starts to connect it. It becomes writable when it is connected, or when that has failed.
    /// - Throws: ``SystemCallError`` if the system has no socket, or no route to the address.
    package static func open(to address: SocketAddress) throws(SystemCallError) -> Int32 {
        let family = if case .ipv6 = address { AF_INET6 } else { AF_INET }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        if descriptor < 0 { throw SystemCallError("socket for \(address)") }
        let result = unsafe address.withSystemAddress { unsafe connect(descriptor, $0, $1) }
        // A signal does not stop the attempt.
        if result == 0 || errno == EINPROGRESS || errno == EINTR { return descriptor }
        let failure = SystemCallError("connect to \(address)")
        close(descriptor)
        throw failure
    }

    /// Why a socket that has become writable is not connected; nil if it is.
    package static func failure(of descriptor: Int32, _ address: SocketAddress) -> SystemCallError? {
        var (code, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        if unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) != 0 { code = errno }
        return code == 0 ? nil : SystemCallError("connect to \(address)", code: code)
    }

    /// Makes small writes go out at once, and the system notice a peer that is gone (after 60 s, then every 60 s).
    package static func setOptions(_ descriptor: Int32) {
        let options = [
            (Int32(IPPROTO_TCP), TCP_NODELAY, 1), (SOL_SOCKET, SO_KEEPALIVE, 1),
            (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60), (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 60),
        ]
        for (level, option, value) in options {
            var value = Int32(value)
            unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }
}

extension SocketAddress {
    /// The TCP address of a host and a port.
    package init(_ address: IPAddress, port: UInt16) {
        switch address.family {
        case .v4: self = .ipv4(address: UInt32(truncatingIfNeeded: address.bits), port: port)
        case .v6: self = .ipv6(address: address.bits, port: port)
        }
    }
}
