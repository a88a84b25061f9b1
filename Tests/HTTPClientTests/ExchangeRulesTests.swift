import Testing

@testable import HTTPClient

struct ExchangeRulesTests {
    /// An event, with text in place of borrowed bytes.
    enum Event: Sendable { case wrote(Int), mayHaveWritten, couldNotWrite, received(String), ended, cutOff, broke }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var method = HTTPClientRequest.Method.post
        var isReused = false
        var events: [Event]
        var action: Exchange.Action
        var wasSent = true
        var keeps = false
        var testDescription: String { name }
    }

    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    private static let refused = "the connection refuses the request"
    private static let closed = "the peer has closed the connection"
    private static let reset = "the connection was reset"

    static let cases = [
        Case(name: "a whole exchange", events: [.wrote(100), .received(answer)], action: .deliver, keeps: true),
        Case(
            name: "a request in pieces", events: [.wrote(1), .wrote(0), .wrote(99), .received(answer)],
            action: .deliver,
            keeps: true),
        Case(
            name: "an answer before the request is written", events: [.wrote(1), .received(answer), .wrote(99)],
            action: .deliver, keeps: true),
        Case(
            name: "an answer before the request is written, and more",
            events: [.wrote(1), .received(answer), .received("x"), .wrote(99)], action: .deliver),
        Case(
            name: "an answer before the request is written, and a reset",
            events: [.wrote(1), .received(answer), .broke], action: .deliver),
        Case(
            name: "an answer before the request is written, and an end",
            events: [.wrote(1), .received(answer), .cutOff], action: .deliver),
        Case(
            name: "an answer from a peer that takes no more afterwards",
            events: [.wrote(1), .received(answer), .couldNotWrite], action: .deliver),
        Case(
            name: "a refusal before the request is written",
            events: [.wrote(1), .received("HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")], action: .deliver),
        Case(
            name: "an early answer that ends the connection",
            events: [.wrote(1), .received("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")],
            action: .deliver),
        Case(name: "bytes after the answer", events: [.wrote(100), .received(answer + "x")], action: .deliver),
        Case(
            name: "an answer from a peer that reads no more",
            events: [.wrote(1), .couldNotWrite, .received(answer)], action: .deliver),
        Case(
            name: "an answer that ends with the connection",
            events: [.wrote(100), .received("HTTP/1.1 200 OK\r\n\r\nhi"), .ended], action: .deliver),
        Case(
            name: "an answer that may have been cut off",
            events: [.wrote(100), .received("HTTP/1.1 200 OK\r\n\r\nhi"), .cutOff], action: .fail(.closed, closed)),
        Case(
            name: "a reset in the answer",
            events: [.wrote(100), .received("HTTP/1.1 200 OK\r\n\r\nhi"), .broke], action: .fail(.closed, reset)),
        Case(
            name: "a close without an answer", events: [.wrote(100), .ended], action: .fail(.sendInterrupted, closed)),
        Case(name: "a reset in the request", events: [.wrote(1), .broke], action: .fail(.sendInterrupted, reset)),
        Case(
            name: "a reset of a reused connection in the request", isReused: true, events: [.wrote(1), .broke],
            action: .fail(.sendInterrupted, reset)),
        Case(
            name: "a reset after a part that TLS may have written", isReused: true, events: [.mayHaveWritten, .broke],
            action: .fail(.sendInterrupted, reset)),
        Case(
            name: "a refused write after a part that TLS may have written", isReused: true,
            events: [.mayHaveWritten, .couldNotWrite, .broke], action: .fail(.sendInterrupted, reset)),
        Case(
            name: "a close in the status line", events: [.wrote(100), .received("HTTP/1.1 2"), .ended],
            action: .fail(.sendInterrupted, closed)),
        Case(
            name: "a close after the status line", events: [.wrote(100), .received("HTTP/1.1 200 OK\r\n"), .ended],
            action: .fail(.closed, closed)),
        Case(
            name: "a new connection that refuses the request", events: [.couldNotWrite],
            action: .fail(.closed, refused), wasSent: false),
        Case(
            name: "a reused connection that refuses the request", isReused: true, events: [.couldNotWrite],
            action: .sendElsewhere, wasSent: false),
        Case(
            name: "a reused connection that ends before the request", isReused: true, events: [.wrote(0), .ended],
            action: .sendElsewhere, wasSent: false),
        Case(
            name: "a GET on a reused connection that ends", method: .get, isReused: true,
            events: [.wrote(100), .ended],
            action: .sendElsewhere),
        Case(
            name: "a GET on a new connection that ends", method: .get, events: [.wrote(100), .ended],
            action: .fail(.closed, closed)),
        Case(
            name: "a GET on a reused connection that ends in the answer", method: .get, isReused: true,
            events: [.wrote(100), .received("H"), .ended], action: .fail(.closed, closed)),
        Case(
            name: "a malformed answer", events: [.wrote(100), .received("HTTP/1.1 200 OK\r\n: x\r\n")],
            action: .fail(.malformed, "a field without a name")),
        Case(
            name: "an answer that is too large",
            events: [.wrote(100), .received("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")],
            action: .fail(.tooLarge, "the body of the answer is over its limit")),
    ]

    @Test(arguments: cases)
    func `what happens decides whether a request is delivered, failed or sent elsewhere`(row: Case) {
        var exchange = makeExchange(row.method, isReused: row.isReused)
        for event in row.events.dropLast() { #expect(apply(event, to: &exchange) == .proceed) }
        #expect(row.events.last.map { apply($0, to: &exchange) } == row.action)
        #expect(exchange.wasSent == row.wasSent)
        #expect(exchange.keepsConnection == row.keeps)
    }

    @Test func `no sequence of events sends a POST elsewhere once a byte may have been written`() {
        let all: [Event] = [
            .wrote(0), .wrote(1), .wrote(50), .mayHaveWritten, .couldNotWrite, .received("HTTP"),
            .received("HTTP/1.1 413 Large\r\nContent-Length: 1\r\n\r\n"), .ended, .cutOff, .broke,
        ]
        func go(_ exchange: Exchange, depth: Int, mayBeWritten: Bool) {
            guard depth > 0 else { return }
            for event in all {
                var next = exchange
                let action = apply(event, to: &next)
                var written = mayBeWritten
                switch event {
                case .wrote(let count): written = written || count > 0
                case .mayHaveWritten: written = true
                default: break
                }
                #expect(!written || next.wasSent)
                #expect(!(written && action == .sendElsewhere))
                if action == .proceed { go(next, depth: depth - 1, mayBeWritten: written) }
            }
        }
        go(makeExchange(.post, isReused: true), depth: 4, mayBeWritten: false)
    }

    @Test func `an answer that refuses a request stops the writing, and others do not`() {
        for (status, goesOn) in [(413, false), (500, false), (200, true), (302, true)] {
            var exchange = makeExchange(.post, isReused: false)
            _ = apply(.wrote(10), to: &exchange)
            _ = apply(.received("HTTP/1.1 100 Continue\r\n\r\n"), to: &exchange)
            #expect(exchange.wantsToWrite)
            _ = apply(.received("HTTP/1.1 \(status) X\r\nContent-Length: 1\r\n\r\n"), to: &exchange)
            #expect(exchange.wantsToWrite == goesOn)
        }
    }

    private func makeExchange(_ method: HTTPClientRequest.Method, isReused: Bool) -> Exchange {
        Exchange(
            method, count: 100, isReused: isReused,
            limits: .init(HTTPClientConfiguration(), bodyBytes: 1000, keepsBody: true))
    }

    private func apply(_ event: Event, to exchange: inout Exchange) -> Exchange.Action {
        switch event {
        case .wrote(let count): exchange.happened(.wrote(count))
        case .mayHaveWritten: exchange.happened(.mayHaveWritten)
        case .couldNotWrite: exchange.happened(.couldNotWrite)
        case .received(let text): Array(text.utf8).withUnsafeBytes { exchange.happened(.received($0)) }
        case .ended: exchange.happened(.ended(isClean: true))
        case .cutOff: exchange.happened(.ended(isClean: false))
        case .broke: exchange.happened(.broke)
        }
    }
}
