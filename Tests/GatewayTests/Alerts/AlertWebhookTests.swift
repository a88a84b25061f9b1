import Base
import EventLoop
import Foundation
import KlingAPI
import Logging
import TestKit
import Testing

@testable import Gateway

/// Alerts on their way to the log and to the operator's webhook.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct AlertWebhookTests {
    /// A log that a test reads.
    private struct LogBook: LogHandler {
        let lines: Mailbox<String>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.put("\(event.level) \(event.message): " + fields.joined(separator: " "))
        }
    }

    private static let secret = WebhookSignature.secret(key: Array(repeating: 3, count: 32))

    private struct Fixture {
        let receivers = Receivers()
        let lines = Mailbox<String>()
        let clock = VirtualClock()
        let loop: EventLoop
        let webhook: AlertWebhook
        let logger: Logger

        init() throws {
            let loop = try EventLoop(name: "alerts")
            let lines = lines
            logger = Logger(label: "test") { _ in LogBook(lines: lines) }
            self.loop = loop
            webhook = AlertWebhook(
                background: Background(loop: loop, clock: clock.background), sender: receivers,
                url: Secret("https://ops.example/hook?token=S3CRET"), signature: try #require(WebhookSignature(secret)),
                userAgent: "test", logger: logger)
        }

        func send(_ count: Int) {
            let condition = AlertCondition(
                kind: .tasksStuck, subject: "", summary: "wrong", details: [.number("count", count)])
            webhook.send(AlertEvent(step: .raised, condition: condition, lasted: .seconds(60)), at: 90_000)
        }

        func end() async {
            await webhook.stop()
            loop.stop()
        }
    }

    private func json(_ call: Receivers.Call) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(call.message.body)) as? [String: Any])
    }

    private func count(_ call: Receivers.Call) throws -> Int? {
        ((try json(call)["data"] as? [String: Any])?["details"] as? [String: Any])?["count"] as? Int
    }

    @Test func `an alert is signed and says what is wrong since when`() async throws {
        let fixture = try Fixture()
        fixture.send(4)
        let call = await fixture.receivers.calls.next()
        #expect(call.message.url == "https://ops.example/hook?token=S3CRET")
        let signature = WebhookSignature(Self.secret)
        let isValid = signature?.verify(
            id: call.id, timestamp: call.header("webhook-timestamp") ?? "", body: call.message.body,
            header: call.header("webhook-signature") ?? "", now: Int(WallClock.seconds))
        #expect(isValid == true && call.id.hasPrefix("msg_alert_"))
        let body =
            #"{"type":"alert.raised","timestamp":"1970-01-01T00:01:30Z","data":{"alert":"tasks_stuck","#
            + #""subject":"","summary":"wrong","details":{"count":4},"id":"tasks_stuck","#
            + #""since":"1970-01-01T00:00:30Z"}}"#
        #expect(String(decoding: call.message.body, as: UTF8.self) == body)
        call.answer()
        await fixture.end()
    }

    @Test func `an alert is tried three times, under one id, and then logged without the URL`() async throws {
        let fixture = try Fixture()
        fixture.send(1)
        fixture.send(2)
        var ids: Set<String> = []
        var times: [MonotonicTime] = []
        for status in [500, 404, 302] {
            let call = await fixture.receivers.calls.next()
            ids.insert(call.id)
            times.append(fixture.clock.now)
            call.answer(status)
        }
        #expect(ids.count == 1 && times == [moment(0), moment(5), moment(35)])
        let line = await fixture.lines.next()
        #expect(
            line == "warning an alert could not be sent to the webhook: alert=tasks_stuck reason=answered with 302")
        let next = await fixture.receivers.calls.next()
        #expect(try count(next) == 2 && !ids.contains(next.id))
        next.end(.failure(CallbackFailure("connect: ops.example refused")))
        (await fixture.receivers.calls.next()).answer(204)
        fixture.send(3)
        let last = await fixture.receivers.calls.next()
        #expect(fixture.webhook.counts.delivered == 1 && fixture.webhook.counts.lost == 1)
        last.answer()
        await fixture.end()
    }

    @Test func `while the webhook does not answer, the newest 64 alerts wait`() async throws {
        let fixture = try Fixture()
        fixture.send(0)
        let first = await fixture.receivers.calls.next()
        for number in 1...66 { fixture.send(number) }
        for _ in 0..<2 { #expect(await fixture.lines.next().contains("reason=too many alerts wait")) }
        first.answer()
        for number in 3...66 {
            let call = await fixture.receivers.calls.next()
            #expect(try count(call) == number)
            call.answer()
        }
        #expect(fixture.webhook.counts.lost == 2)
        await fixture.end()
    }

    @Test func `stopping does not wait for a webhook that does not answer`() async throws {
        let fixture = try Fixture()
        fixture.send(1)
        fixture.send(2)
        _ = await fixture.receivers.calls.next()
        await fixture.end()
        #expect(fixture.receivers.calls.count == 0 && fixture.lines.count == 0)
    }

    // MARK: The monitor

    @Test func `what is wrong is logged and sent, and so is its end`() async throws {
        let fixture = try Fixture()
        let stuck = Lock(0)
        var sources = MetricsSources()
        sources.tasks = {
            var figures = TaskFigures()
            figures.stuck = stuck.withLock { $0 }
            return figures
        }
        let metrics = Metrics(routes: ["create"], accounts: [], version: "1")
        let monitor = AlertMonitor(
            loop: fixture.loop, sources: sources, metrics: metrics, webhook: fixture.webhook, logger: fixture.logger)
        monitor.look(at: moment(0), wall: 0)
        stuck.withLock { $0 = 2 }
        monitor.look(at: moment(5), wall: 5_000)
        #expect(
            await fixture.lines.next()
                == "warning an alert is raised: alert=tasks_stuck count=2 "
                + "summary=Tasks without news from Kling for a day: 2.")
        let raised = await fixture.receivers.calls.next()
        #expect(try json(raised)["type"] as? String == "alert.raised")
        raised.answer()
        #expect(monitor.counts.raised.first { $0.kind == "tasks_stuck" }?.count == 1)
        monitor.look(at: moment(25_000), wall: 25_000_000)
        #expect(await fixture.lines.next().hasPrefix("warning an alert is still raised: alert=tasks_stuck"))
        (await fixture.receivers.calls.next()).answer()
        stuck.withLock { $0 = 0 }
        for second in [25_005, 25_305] { monitor.look(at: moment(Double(second)), wall: Int64(second) * 1000) }
        #expect(await fixture.lines.next().hasPrefix("notice an alert is cleared: alert=tasks_stuck"))
        let cleared = await fixture.receivers.calls.next()
        #expect(try json(cleared)["type"] as? String == "alert.cleared")
        cleared.answer()
        await monitor.stop()
        fixture.loop.stop()
    }

    @Test func `a rising share of errors is noticed`() async throws {
        let fixture = try Fixture()
        let metrics = Metrics(routes: ["create"], accounts: [], version: "1")
        let monitor = AlertMonitor(
            loop: fixture.loop, sources: MetricsSources(), metrics: metrics, webhook: nil, logger: fixture.logger)
        func answer(_ status: Int, _ times: Int) {
            for _ in 0..<times {
                metrics.exchange(route: "create", status: status, own: .zero, upstream: nil, received: 0, sent: 0)
            }
        }
        answer(503, 1000)
        monitor.look(at: moment(0), wall: 0)
        answer(200, 90)
        answer(502, 9)
        monitor.look(at: moment(5), wall: 0)
        answer(500, 1)
        monitor.look(at: moment(10), wall: 0)
        let line = await fixture.lines.next()
        #expect(line.hasPrefix("warning an alert is raised: alert=error_share answers=100 errors=10"), "\(line)")
        #expect(fixture.lines.count == 0)
        await monitor.stop()
        await fixture.end()
    }
}
