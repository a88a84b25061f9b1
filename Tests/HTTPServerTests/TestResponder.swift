import Base
import EventLoop
import HTTPServer

/// What the test server answers, by path.
struct TestResponder: HTTPResponder {
    let finished = Lock<[HTTPExchange]>([])
    let starts = Events<String>()
    let cancellations = Events<String>()
    let ends = Events<HTTPExchange>()
    /// The events of the answers to `/watched` and to `/held`; the latter wait for the gate.
    let deliveries = Events<Delivery>()
    let gate = Events<Void>()
    /// The parts of the answer to `/stream`, up to the first nil.
    let parts = Events<String?>()

    enum Delivery: String { case begun, finished, acknowledged, lost }

    private struct Watcher: AnswerWatcher {
        let deliveries: Events<Delivery>
        func clientHasFinished() { deliveries.yield(.finished) }
        func answerWasAcknowledged() { deliveries.yield(.acknowledged) }
        func answerWasLost() { deliveries.yield(.lost) }
    }

    func immediateResponse(to request: HTTPRequest) -> HTTPResponse? {
        request.head.path == "/at-once" ? HTTPResponse(status: 200, body: .bytes(Array("at once".utf8))) : nil
    }

    private func waitBehindShield(_ request: HTTPRequest) async {
        guard request.body.beginShield() else { return }
        starts.yield("shielded")
        await gate.next()
        cancellations.yield(Task.isCancelled ? "too early" : "put off")
        request.body.endShield()
        cancellations.yield(Task.isCancelled ? "cancelled" : "lost")
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let head = request.head
        switch head.path {
        case "/started":
            starts.yield("started")
        case "/waits":
            starts.yield("waits")
            do { try await request.loop.sleep(for: .seconds(600)) } catch { cancellations.yield("waits") }
        case "/shielded":
            await waitBehindShield(request)
        case "/watched", "/held":
            request.watchAnswer(Watcher(deliveries: deliveries))
            deliveries.yield(.begun)
            if head.path == "/held" { await gate.next() }
            return HTTPResponse(status: 200, body: .bytes(Array("done".utf8)))
        case "/stream":
            return HTTPResponse(
                status: 200,
                body: .stream { [parts, cancellations] in
                    let part = await parts.next() ?? nil
                    if Task.isCancelled { cancellations.yield("stream") }
                    return part.map { [ByteSlice(copying: $0)] }
                })
        case "/unread":
            return HTTPResponse(status: 401, body: .bytes(Array("no".utf8)))
        case "/injects":
            return HTTPResponse(
                status: 200,
                headers: [
                    (name: "X-Value", value: "a\r\nX-Injected: 1"), (name: "X\nName", value: "b"),
                    (name: "Content-Length", value: "99"), (name: "Transfer-Encoding", value: "chunked"),
                    (name: "X-Sound", value: "c"),
                ])
        case "/large":
            let block = Bytes([UInt8](repeating: 0x61, count: 100_000))
            return HTTPResponse(
                status: 200, body: .slices(Array(repeating: ByteSlice(block, 0..<block.count), count: 200)))
        case "/breaks":
            var response = HTTPResponse(status: 200)
            response.wire = .init(
                bytes: [ByteSlice(copying: "HTTP/1.1 garbage\r\n\r\n")],
                end: head.query == "reset" ? .reset : .close)
            return response
        case "/echo":
            guard let body = try? await request.body.collect(limit: 8 << 20, owner: "test") else { break }
            return HTTPResponse(status: 200, body: .slices([ByteSlice(body, 0..<body.count)]))
        case "/method":
            return HTTPResponse(status: 405, headers: [(name: "Allow", value: "GET")])
        default: break
        }
        return await description(of: request)
    }

    /// What the server has read.
    private func description(of request: HTTPRequest) async -> HTTPResponse {
        let head = request.head
        var text = "path=\(head.path) query=\(head.query ?? "-") authority=\(head.authority)"
        text += " auth=\(head.headers["authorization"] ?? "-") length=\(request.body.declaredLength ?? -1)"
        do throws(RequestBodyError) {
            let body = try await request.body.collect(limit: 1 << 20, owner: "test")
            text += " body=\(body.count)"
            if body.count < 100 { text += ":" + body.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
        } catch {
            return HTTPResponse(status: error.status, body: .bytes(Array("\(error)".utf8)))
        }
        return HTTPResponse(status: 200, body: .bytes(Array(text.utf8)))
    }

    func didFinish(_ exchange: HTTPExchange) {
        finished.withLock { $0.append(exchange) }
        ends.yield(exchange)
    }
}
