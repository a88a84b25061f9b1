internal import Base
internal import KlingAPI

extension SimulatedFault {
    /// Whether the request is done before its answer goes wrong.
    var isWorkDone: Bool {
        if case .slow = kind { return true }
        return isDone
    }
}

extension SimulatedAnswer {
    /// What goes out when a fault happens.
    /// - Parameter right: the answer that the fault takes the place of, if the request was done.
    init(_ fault: SimulatedFault, instead right: SimulatedAnswer?, requestID: String) {
        let right = right ?? SimulatedAnswer(json: Envelope.success(requestID: requestID, data: "{}".utf8))
        switch fault.kind {
        case .code(let code): self.init(SimulatedRefusal(code), requestID: requestID)
        case .status(let status): self.init(status: status)
        case .answer(let answer): self.init(answer, requestID: requestID)
        case .wire(let wire): self.init(wire, instead: right)
        case .slow(let delay):
            self = right
            self.delay = delay
        case .callback: self = right
        }
    }

    private static func page(_ title: String) -> [UInt8] {
        Array("<html><head><title>\(title)</title></head><body><h1>\(title)</h1></body></html>\n".utf8)
    }

    private init(status: Int) {
        self.init(status: status, contentType: "text/html", body: Self.page("\(status)"))
        if (300...399).contains(status) { headers.append((name: "Location", value: "https://kling.invalid/")) }
    }

    private init(_ answer: FaultyAnswer, requestID: String) {
        switch answer {
        case .withoutTaskID:
            self.init(data: Array(#"{"task_status":"submitted"}"#.utf8), requestID: requestID)
        case .html: self.init(status: 200, contentType: "text/html", body: Self.page("Kling"))
        case .notJSON: self.init(json: Array(#"{"code":0,"message":"SUCC"#.utf8))
        case .empty: self.init(json: [])
        case .huge:
            self.init(json: [])
            body = Self.hugeBody
        case .gzipBomb:
            self.init(json: [])
            headers.append((name: "Content-Encoding", value: "gzip"))
            body = [Self.gzipBomb]
        case .silence:
            self.init(json: [])
            delivery = .silence
        }
    }

    private static let hugeBody: [ByteSlice] = {
        let block = Bytes([UInt8](repeating: UInt8(ascii: "K"), count: 1 << 20))
        let letters = [ByteSlice](repeating: ByteSlice(block, 0..<block.count), count: 100)
        return [ByteSlice(copying: #"{"code":0,"message":""#)] + letters + [ByteSlice(copying: #"","data":{}}"#)]
    }()

    /// Its checksum is left out: whoever decodes it that far has lost already.
    private static let gzipBomb: ByteSlice = {
        var deflate = RunDeflate()
        deflate.append(0, count: 100_000_000)
        let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        let bytes = Bytes(header + deflate.finish() + [UInt8](repeating: 0, count: 8))
        return ByteSlice(bytes, 0..<bytes.count)
    }()

    private init(_ wire: WireFault, instead right: SimulatedAnswer) {
        let count = right.body.reduce(0) { $0 + $1.count }
        func head(_ length: Int) -> ByteSlice {
            ByteSlice(
                copying:
                    "HTTP/1.1 \(right.status) OK\r\nContent-Type: application/json\r\nContent-Length: \(length)\r\n\r\n"
            )
        }
        let half = right.body.first.map {
            ByteSlice($0.bytes, $0.range.lowerBound..<$0.range.lowerBound + $0.count / 2)
        }
        self = right
        switch wire {
        case .reset, .close: body = []
        case .resetAfterHead: body = [head(count)]
        case .resetMidBody: body = [head(count)] + (half.map { [$0] } ?? [])
        case .lengthTooLong: body = [head(count + 100)] + right.body
        case .lengthTooShort: body = [head(count / 2)] + right.body
        case .garbage: body = [ByteSlice(copying: "\u{1}\u{2}KLNG/9 what?\r\n\r\n\r\n")]
        case .interimFlood:
            body = [ByteSlice](repeating: ByteSlice(copying: "HTTP/1.1 100 Continue\r\n\r\n"), count: 1000)
        }
        delivery = .wire(isReset: wire.rawValue.hasPrefix("reset"))
    }
}
