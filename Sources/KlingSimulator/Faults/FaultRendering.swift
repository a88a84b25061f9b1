internal import Base
internal import KlingAPI

extension SimulatedFault {
    /// Whether the request is carried out before its answer goes wrong.
    var isWorkDone: Bool {
        switch kind {
        case .slow, .finding: true
        default: isDone
        }
    }

    /// Whether the answer says that nothing was made, which is true if the request was not carried out.
    var isClearRefusal: Bool {
        switch kind {
        case .code(let code): code.class != .ambiguous && code.class != .unknown
        case .status(let status, let body): Self.refusals.contains(status) || body == .code
        case .answer, .wire, .slow, .finding, .callback: false
        }
    }

    private static let refusals = Set([401, 402, 403, 404, 405, 411, 413, 414, 415, 429, 431, 501]).union(300...399)
}

extension SimulatedAnswer {
    /// The answer that is sent when a fault happens.
    /// - Parameters:
    ///   - right: the correct answer that the fault replaces, if the request was carried out.
    ///   - shape: how the correct answer represents its tasks.
    init(_ fault: SimulatedFault, instead right: SimulatedAnswer?, requestID: String, _ shape: TaskShape) {
        let right = right ?? SimulatedAnswer(json: Envelope.success(requestID: requestID, data: "{}".utf8))
        switch fault.kind {
        case .code(let code): self.init(SimulatedRefusal(code), requestID: requestID)
        case .status(let status, let body): self.init(status: status, body)
        case .answer(let answer): self.init(answer, requestID: requestID, shape)
        case .wire(let wire): self.init(wire, instead: right)
        case .slow(let delay):
            self = right
            self.delay = delay
        // The search has already applied the fault.
        case .callback, .finding: self = right
        }
    }

    private static func page(_ title: String) -> [UInt8] {
        Array("<html><head><title>\(title)</title></head><body><h1>\(title)</h1></body></html>\n".utf8)
    }

    private init(status: Int, _ body: BareBody) {
        switch body {
        case .html: self.init(status: status, contentType: "text/html", body: Self.page("\(status)"))
        case .error: self.init(status: status, json: Self.newAPIError(status))
        case .code: self.init(status: status, json: Self.newAPICode)
        }
        if (300...399).contains(status) { headers.append((name: "Location", value: "https://kling.invalid/")) }
    }

    /// The error body of new-api's own refusals.
    private static func newAPIError(_ status: Int) -> [UInt8] {
        let code =
            switch status {
            case 402, 403: "insufficient_user_quota"
            case 404: "model_not_found"
            case 413: "read_request_body_failed"
            case 400...499: ""
            default: "bad_response_status_code"
            }
        return JSONWriter.object { answer in
            answer.object("error") { error in
                error.member("message", "status \(status) (request id: 2026112908)")
                error.member("type", "new_api_error")
                error.member("code", code)
            }
        }
    }

    private static let newAPICode =
        Array(#"{"code":"insufficient_user_quota","message":"the quota is used up","data":null}"#.utf8)

    private init(_ answer: FaultyAnswer, requestID: String, _ shape: TaskShape) {
        switch answer {
        case .longTaskID:
            self.init(data: shape.data(id: String(repeating: "8", count: 300)), requestID: requestID)
        case .controlTaskID: self.init(data: shape.data(id: "8100\u{1}\r\n0042"), requestID: requestID)
        case .withoutTaskID: self.init(data: shape.data(id: nil), requestID: requestID)
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

    /// The checksum is left zero: a client that decodes that far has already inflated everything.
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
