import Base
import Foundation
import HTTPServer
import KlingAPI
import TaskStore
import TestKit
import Testing

/// An operator's webhook: it records the alerts that are signed with its secret.
final class AlertReceiver: HTTPResponder {
    /// What a raised or cleared alert says.
    struct Alert: Sendable, Equatable {
        let type, alert, subject, id: String
        let details: String
    }

    static let secret = "whsec_" + Data(repeating: 9, count: 32).base64EncodedString()

    private let all = Lock<[Alert]>([])

    /// The alerts, in the order in which they came.
    var alerts: [Alert] { all.withLock { $0 } }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard let bytes = try? await request.body.collect(limit: 1 << 20, owner: "") else {
            return HTTPResponse(status: 400)
        }
        let body = bytes.withUnsafeBytes { Array($0) }
        let headers = request.headers
        let isSigned = WebhookSignature(Secret(Self.secret))?.verify(
            id: headers["webhook-id"] ?? "", timestamp: headers["webhook-timestamp"] ?? "", body: body,
            header: headers["webhook-signature"] ?? "", now: Int(WallClock.seconds))
        guard isSigned == true, request.head.path == "/hook", let alert = Self.read(body) else {
            return HTTPResponse(status: 401)
        }
        all.withLock { $0.append(alert) }
        return HTTPResponse(status: 204)
    }

    private static func read(_ body: [UInt8]) -> Alert? {
        guard let event = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let data = event["data"] as? [String: Any], let details = data["details"] as? [String: Any]
        else { return nil }
        let fields = details.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return Alert(
            type: event["type"] as? String ?? "", alert: data["alert"] as? String ?? "",
            subject: data["subject"] as? String ?? "", id: data["id"] as? String ?? "",
            details: fields.joined(separator: " "))
    }

    /// Runs `body` with a listening receiver and the settings that name it.
    static func run(_ body: (AlertReceiver, String) async throws -> Void) async throws {
        let receiver = AlertReceiver()
        try await LoopbackServer.run(receiver) { server in
            try await body(receiver, "alerts: { url: '\(server.url)/hook?token=S3CRET-token', secret: \(secret) }\n")
        }
    }
}

/// Alerts of the built binary, in the log and at the operator's webhook.
@Suite(.aFewAtATime) struct AlertTests {
    /// Waits for an alert, which must also be in the log and in the metrics.
    private func alert(_ kind: String, _ receiver: AlertReceiver, _ rig: Rig) async throws -> AlertReceiver.Alert {
        _ = try await rig.gateway.program.errorLine {
            $0.contains("\"an alert is raised\"") && $0.contains("\"\(kind)\"") ? true : nil
        }
        try await eventually("the webhook gets the alert") { receiver.alerts.contains { $0.alert == kind } }
        let log = rig.gateway.program.errorText
        #expect(!log.contains("S3CRET-token") && !log.contains(AlertReceiver.secret))
        let metrics = try await rig.gateway.ask("GET", "/metrics", key: nil, admin: true).text
        #expect(metrics.contains("kling_gateway_alerts_raised{alert=\"\(kind)\"} 1"))
        return try #require(receiver.alerts.first { $0.alert == kind })
    }

    @Test(arguments: [
        ("1002", "account_disabled", "code=1002"), ("1102", "account_out_of_units", "code=1102"),
    ])
    func `an account that Kling disables is an alert`(code: String, kind: String, detail: String) async throws {
        try await AlertReceiver.run { receiver, settings in
            try await Rig.run(settings: settings) { rig in
                try rig.fail("create:\(code)")
                _ = try await rig.create()
                let alert = try await alert(kind, receiver, rig)
                #expect(alert.type == "alert.raised" && alert.subject == "kling" && alert.id == "\(kind)/kling")
                #expect(alert.details.contains(detail) && alert.details.contains("state=disabled"), "\(alert)")
            }
        }
    }

    @Test func `a budget is an alert at its threshold, and again when it is spent`() async throws {
        try await AlertReceiver.run { receiver, settings in
            try await Rig.run(settings: settings) { rig in
                let store = try await rig.folder.openStore()
                let budget = Budget(.tasks, per: .total, limit: 5, warnAtPercent: 80)
                try await store.keys.keep(TenantRules(name: "shop", budgets: [budget]), at: WallClock.milliseconds)
                await store.close()
                for _ in 0..<4 { _ = try await rig.createdTask() }
                let first = try await alert("budget_threshold", receiver, rig)
                #expect(first.subject == "shop" && first.id == "budget_threshold/shop/tasks/total/80")
                #expect(
                    first.details == "limit=5 metric=tasks period=total threshold_percent=80 used=4", "\(first)")
                _ = try await rig.createdTask()
                try await eventually("it is spent") {
                    receiver.alerts.last?.id == "budget_threshold/shop/tasks/total/100"
                }
                #expect(receiver.alerts.count == 2)
            }
        }
    }

    @Test func `a task that may or may not exist at Kling is an alert`() async throws {
        try await AlertReceiver.run { receiver, settings in
            let accounts = [Rig.Account(name: "reseller", settings: "lookup: no")]
            try await Rig.run(accounts, settings: settings, duration: 3_600_000...3_600_000) { rig in
                try rig.fail("create:lost-answer:1:1")
                try rig.fail("query:1201")
                #expect(try await rig.create().status == 502)
                let alert = try await alert("tasks_unknown", receiver, rig)
                #expect(alert.subject == "" && alert.details == "count=1")
            }
        }
    }

    @Test func `what is still wrong after a restart is told once more`() async throws {
        try await AlertReceiver.run { receiver, settings in
            try await Rig.run(settings: settings) { rig in
                try rig.fail("create:1102")
                _ = try await rig.create()
                _ = try await alert("account_out_of_units", receiver, rig)
                try await rig.stop()
                try await rig.start()
                try await eventually("it is raised again") { receiver.alerts.count == 2 }
                #expect(receiver.alerts[0] == receiver.alerts[1])
            }
        }
    }

    @Test func `the test command sends one signed event and prints the status of the answer`() async throws {
        try await AlertReceiver.run { receiver, settings in
            try await Rig.run(settings: settings) { rig in
                let text = try await rig.command("alerts", "test")
                #expect(text == "204\n" && receiver.alerts.map(\.alert) == ["test"])
                let json = try await rig.command("alerts", "test", "--json")
                #expect(json == "{\"status\":204}\n")
            }
        }
        let folder = try TemporaryFolder()
        let bare = ["HOME": folder.path("")]
        let outcome = try await Program.gateway(["alerts", "test"], environment: bare).end()
        #expect(outcome.status == 1 && outcome.errors.contains("set alerts.url and alerts.secret"), "\(outcome.errors)")
    }
}
