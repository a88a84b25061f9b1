public import Base
internal import CLibevent
internal import Glibc

/// A non-blocking socket that listens. The code that creates it must close it.
public struct ListeningSocket: Sendable {
    /// The descriptor to watch for reading.
    public let descriptor: Int32
    /// The address it listens on, with the port that the system chose if port 0 was requested.
    public let address: SocketAddress

    /// Binds the socket and starts to listen.
    ///
    /// Replaces the file of a Unix-domain socket whose process has ended.
    /// - Parameters:
    ///   - mode: the access mode of a Unix-domain socket's file.
    ///   - isDual: whether an IPv6 socket accepts IPv4 connections too.
    /// - Throws: ``SystemCallError``; its code is `EADDRINUSE` if something else listens there.
    public init(address: SocketAddress, mode: UInt32 = 0o660, isDual: Bool = true) throws(SystemCallError) {
        let descriptor = try Self.makeSocket(address)
        do throws(SystemCallError) {
            try Self.bind(descriptor, to: address, isDual: isDual)
            if case .unix(let path) = address, unsafe chmod(path, mode_t(mode)) != 0 {
                throw SystemCallError("chmod \(path)")
            }
            if listen(descriptor, 4096) != 0 { throw SystemCallError("listen on \(address)") }
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.address = Self.localAddress(of: descriptor) ?? address
    }

    /// Stops listening, and removes a Unix-domain socket's file.
    public func close() {
        Glibc.close(descriptor)
        if case .unix(let path) = address { unsafe unlink(path) }
    }

    /// Accepts the next connection, with `O_NONBLOCK` and `FD_CLOEXEC` already set.
    /// - Throws: ``SystemCallError``; its code is `EAGAIN` if no connection is waiting.
    public func accept() throws(SystemCallError) -> (descriptor: Int32, peer: SocketAddress) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe accept4(
                self.descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length,
                Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
        }
        if descriptor < 0 { throw SystemCallError("accept") }
        return (descriptor, SocketAddress(storage, length: length) ?? .unix(path: ""))
    }

    /// Whether a connection is waiting to be accepted.
    public var hasWaiting: Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&state, 1, 0) > 0
    }

    private static func makeSocket(_ address: SocketAddress) throws(SystemCallError) -> Int32 {
        let family =
            switch address {
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            case .unix: AF_UNIX
            }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, type, 0)
        if descriptor < 0 { throw SystemCallError("socket for \(address)") }
        return descriptor
    }

    private static func bind(
        _ descriptor: Int32, to address: SocketAddress, isDual: Bool
    ) throws(SystemCallError) {
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if case .ipv6 = address { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, isDual ? 0 : 1) }
        if bindOnce(descriptor, address) { return }
        let failure = SystemCallError("bind \(address)")
        guard case .unix(let path) = address, failure.code == EADDRINUSE, isAbandoned(address) else { throw failure }
        unsafe unlink(path)
        if !bindOnce(descriptor, address) { throw SystemCallError("bind \(address)") }
    }

    private static func bindOnce(_ descriptor: Int32, _ address: SocketAddress) -> Bool {
        unsafe address.withSystemAddress { unsafe Glibc.bind(descriptor, $0, $1) } == 0
    }

    /// Whether a Unix-domain socket's file was left behind by a process that has ended.
    private static func isAbandoned(_ address: SocketAddress) -> Bool {
        guard let probe = try? makeSocket(address) else { return false }
        defer { Glibc.close(probe) }
        return unsafe address.withSystemAddress { unsafe connect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func localAddress(of descriptor: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe getsockname(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        return result == 0 ? SocketAddress(storage, length: length) : nil
    }
}
