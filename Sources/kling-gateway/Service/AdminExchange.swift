internal import Base
internal import EventLoop

/// One request to the operators' listener of a running gateway, and its answer.
struct AdminExchange: ~Copyable {
    /// Why there is no answer.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let socket: BlockingSocket
    private var arrived: ArraySlice<UInt8> = []
    /// The status of the answer.
    private(set) var status = 0
    private var length: Int?
    private var isChunked = false

    private static let longestLine = 16 << 10

    /// Sends a request and reads the head of the answer.
    /// - Parameter head: the request line and the header fields, each with its line break.
    static func begin(to address: SocketAddress, head: String, body: [UInt8]) throws -> AdminExchange {
        var exchange = AdminExchange(
            socket: try BlockingSocket(to: address, within: .seconds(1), silence: .seconds(150)))
        try exchange.begin(head, body)
        return exchange
    }

    private init(socket: consuming BlockingSocket) { self.socket = socket }

    private mutating func begin(_ head: String, _ body: [UInt8]) throws {
        try socket.write(Array((head + "Connection: close\r\nContent-Length: \(body.count)\r\n\r\n").utf8) + body)
        let words = try line().split(separator: " ")
        guard words.count > 1, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw Failure(description: "it does not speak HTTP")
        }
        self.status = status
        while true {
            let line = try line()
            if line.isEmpty { break }
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            switch parts[0].lowercased() {
            case "content-length": length = Int(value)
            case "transfer-encoding": isChunked = value.lowercased() == "chunked"
            default: break
            }
        }
    }

    /// Reads the body, and calls `take` with each part.
    /// - Throws: if it is cut off.
    mutating func body(_ take: ([UInt8]) throws -> Void) throws {
        guard isChunked else { return try read(length ?? 0, take) }
        while true {
            let digits = try line().prefix { $0 != ";" && $0 != " " }
            guard let size = Int(digits, radix: 16), size >= 0 else { throw Self.cutOff }
            try read(size, take)
            // After the last chunk, there are no trailers: this ends the body.
            guard try line().isEmpty else { throw Self.cutOff }
            if size == 0 { return }
        }
    }

    private mutating func read(_ count: Int, _ take: ([UInt8]) throws -> Void) throws {
        var rest = count
        while rest > 0 {
            if arrived.isEmpty { try fill() }
            let part = arrived.prefix(rest)
            arrived = arrived.dropFirst(part.count)
            rest -= part.count
            try take(Array(part))
        }
    }

    /// Reads a line, without its line break.
    private mutating func line() throws -> String {
        var line: [UInt8] = []
        while true {
            if let end = arrived.firstIndex(of: UInt8(ascii: "\n")) {
                line += arrived[..<end]
                arrived = arrived[(end + 1)...]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return String(decoding: line, as: UTF8.self)
            }
            line += arrived
            guard line.count <= Self.longestLine else { throw Self.cutOff }
            try fill()
        }
    }

    private mutating func fill() throws {
        arrived = try socket.read()[...]
        if arrived.isEmpty { throw Self.cutOff }
    }

    private static let cutOff = Failure(description: "its answer was cut off")
}
