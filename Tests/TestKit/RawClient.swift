import Foundation

/// A socket with HTTP written by hand: the client sends exactly what the test says.
public final class RawClient: Sendable {
    /// An answer as it was received.
    public struct Answer: Sendable {
        public let status: Int
        public let headers: [(name: String, value: String)]
        public let body: [UInt8]

        /// The value of the first field of that name.
        public subscript(name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        public var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as a JSON object.
        public var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
        }
    }

    private let socket: Int32

    /// Connects to a port of this machine.
    public init(port: UInt16, receiveTimeout seconds: Int = 30) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw TestKitError("connect to port \(port): errno \(errno)") }
    }

    deinit { close(socket) }

    /// Sends everything.
    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw TestKitError("send: errno \(errno)") }
            sent += count
        }
    }

    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends as much as possible without waiting. A server that has already closed is not an error.
    public func offer(_ bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes {
            Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// Sends FIN.
    public func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Sends RST: connecting to no address drops the connection at once, whatever is still queued in it.
    public func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        connect(socket, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// Waits until bytes have arrived or the connection has ended.
    /// - Returns: whether bytes have arrived; they are not read.
    public func waitForBytes(within time: Duration) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard
            poll(
                &descriptor, 1,
                Int32(time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000)) == 1
        else { return false }
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 1
    }

    /// Reads at most `count` of the bytes that have arrived, and discards them.
    public func readPart(_ count: Int) {
        var buffer = [UInt8](repeating: 0, count: count)
        _ = recv(socket, &buffer, count, Int32(MSG_DONTWAIT))
    }

    /// Reads up to the end of the connection.
    public func readToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        while let more = try read() { all += more }
        return all
    }

    /// Reads `100 Continue`.
    public func readInterim() throws {
        var bytes: [UInt8] = []
        while Self.headEnd(bytes) == nil {
            guard let more = try read() else { throw TestKitError("no interim answer came") }
            bytes += more
        }
        guard try Self.head(bytes[...]).0 == 100 else { throw TestKitError(String(decoding: bytes, as: UTF8.self)) }
    }

    /// Reads one answer; nil if the connection ends before one begins.
    public func readAnswer(toHead: Bool = false) throws -> Answer? {
        var bytes: [UInt8] = []
        while true {
            if let end = Self.headEnd(bytes) {
                let (status, headers) = try Self.head(bytes[..<end])
                let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
                if status == 100 {
                    bytes.removeFirst(end)
                    continue
                }
                let wanted = toHead ? 0 : length
                while bytes.count - end < wanted {
                    guard let more = try read() else { throw TestKitError("the body was cut short") }
                    bytes += more
                }
                return Answer(status: status, headers: headers, body: Array(bytes[end..<end + wanted]))
            }
            guard let more = try read() else {
                if bytes.isEmpty { return nil }
                throw TestKitError("the head was cut short")
            }
            bytes += more
        }
    }

    private func read() throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &buffer, buffer.count, 0)
        if count == 0 || (count < 0 && errno == ECONNRESET) { return nil }
        guard count > 0 else { throw TestKitError("recv: errno \(errno)") }
        return Array(buffer[..<count])
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 3..<bytes.count
        where bytes[index] == 10 && bytes[index - 1] == 13 && bytes[index - 2] == 10 && bytes[index - 3] == 13 {
            return index + 1
        }
        return nil
    }

    private static func head(_ bytes: ArraySlice<UInt8>) throws -> (Int, [(name: String, value: String)]) {
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw TestKitError("no status line: \(lines.first ?? "")")
        }
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                String(line[..<colon]), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        return (status, headers)
    }
}
