import Foundation
import TestKit
import Testing

/// The console of the built gateway in headless Chromium, driven by Tests/Console.
@Suite(.aFewAtATime, .needsPython, .needsChromium) struct ConsoleTests {
    private static let token = "admin-token-of-the-console-test"

    /// Lets the gateway call back to this machine, and fetch from it what the simulated Kling has made.
    private static let settings = """
        admin: { token: \(token) }
        callbacks: { allow: [127.0.0.0/8] }
        fetch: { allow: [127.0.0.0/8] }

        """

    /// A finished task, and a callback of it that was delivered.
    private struct Made {
        let externalID = "order-4711"
        let delivery: String

        init(_ rig: Rig, _ log: CallbackLog, _ url: String) async throws {
            let id = try await rig.createdTask(#""callback_url":"\#(url)","external_task_id":"\#(externalID)""#)
            try await eventually("it has ended") { try await rig.status(id) == "succeed" }
            try await eventually("its end is reported") { log.statuses().last == "succeed" }
            let line = try await rig.command("deliveries", "list", "--task", externalID, "--limit", "1", "--json")
            let printed = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            delivery = try #require(printed?["id"] as? String)
        }
    }

    /// Runs a case of Tests/Console/console.py.
    private func run(_ name: String) async throws {
        try await CallbackLog.run { log, url in
            try await Rig.run(settings: Self.settings, isPublic: true, duration: 1...500) { rig in
                let made = try await Made(rig, log, url)
                let environment = [
                    "ADMIN": "http://127.0.0.1:\(rig.gateway.adminPort)", "GATEWAY": rig.gateway.url,
                    "TOKEN": Self.token, "TASK": made.externalID, "DELIVERY": made.delivery, "CASE": name,
                    "KEY": GatewayProcess.key, "HOME": rig.folder.path(""),
                ]
                let script = RealClient.root.appending(path: "Tests/Console/console.py").path
                try await RealClient.output(
                    of: Program(RealClient.python, [script], environment: environment), "the case \(name)")
                #expect(!rig.gateway.program.errorText.contains(Self.token))
            }
        }
    }

    @Test func `an operator drops two pictures and sees the result beside them`() async throws {
        try await run("tries_it_on")
    }

    @Test func `the code that Try it shows makes the same try-on`() async throws {
        try await run("shows_code_that_works")
    }

    @Test func `an operator finds a task and redelivers its callback`() async throws {
        try await run("finds_a_task")
    }

    @Test func `a page that refreshes leaves typed text and the focus alone`() async throws {
        try await run("refreshes_around_the_user")
    }

    @Test func `an operator makes a key, sees its secrets once, and revokes it`() async throws {
        try await run("makes_and_revokes_a_key")
    }

    @Test func `an operator gives a tenant a budget, and disables it`() async throws {
        try await run("changes_a_tenant")
    }

    @Test func `an operator reads usage by tenant and day, and as CSV`() async throws {
        try await run("groups_usage")
    }

    @Test func `an operator whose session ends signs in again on the same page`() async throws {
        try await run("signs_in_again")
    }

    @Test func `every page passes the rules of axe, dark and light`() async throws {
        try await run("is_accessible")
    }

    @Test func `every page works by keyboard`() async throws {
        try await run("works_by_keyboard")
    }

    @Test func `no page scrolls sideways on a phone`() async throws {
        try await run("fits_a_phone")
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests in a browser.
    static var needsChromium: Self {
        .enabled(if: RealClient.isInstalled("chromium"), "there is no chromium on the PATH: `make deps` installs it")
    }
}
