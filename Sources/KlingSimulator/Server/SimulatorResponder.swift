internal import Base
internal import EventLoop
internal import HTTPServer

/// Passes requests to the platform, and sends its answers, including faulty ones.
struct SimulatorResponder: HTTPResponder {
    let host: PlatformHost
    let sender: CallbackSender
    let pictures: PictureFetcher

    /// Larger than any create that Kling accepts.
    private static let maxBody = 64 << 20
    /// How long a silent connection stays open: every client has given up by then.
    private static let silence = Duration.seconds(600)

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        var body: [UInt8] = []
        if request.method == .post {
            do {
                let bytes = try await request.body.collect(limit: Self.maxBody, owner: "simulator")
                // The array is a copy; the block outlives the closure.
                body = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
            } catch {
                return HTTPResponse(status: error.status)
            }
        }
        var call = SimulatedRequest(request, body: body)
        let urls = host.picturesToFetch(for: call)
        if !urls.isEmpty { call = call.judged(by: await pictures.fetch(urls)) }
        let (answer, hasNewDeadline) = host.answer(call)
        if hasNewDeadline { sender.wake() }
        return await deliver(answer, on: request.loop)
    }

    private func deliver(_ answer: SimulatedAnswer, on loop: EventLoop) async -> HTTPResponse {
        // Ignore cancellation: the client is gone, so the answer is not read.
        if answer.delay > 0 { try? await loop.sleep(for: .milliseconds(answer.delay)) }
        var response = HTTPResponse(status: answer.status, headers: answer.headers, body: .slices(answer.body))
        switch answer.delivery {
        case .intact: break
        case .silence:
            try? await loop.sleep(for: Self.silence)
            response.wire = HTTPResponse.Wire(bytes: [], end: .close)
        case .wire(let isReset):
            response.wire = HTTPResponse.Wire(bytes: answer.body, end: isReset ? .reset : .close)
        }
        return response
    }
}

extension SimulatedRequest {
    /// Converts a request that the HTTP server has received.
    fileprivate init(_ request: HTTPRequest, body: [UInt8]) {
        var fields: [Field] = []
        request.headers.forEach { fields.append((name: $0, value: $1)) }
        self.init(
            method: request.method.rawValue, path: request.head.path, query: request.head.query, headers: fields,
            body: body)
    }
}
