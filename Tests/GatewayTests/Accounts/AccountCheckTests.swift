import Base
import KlingAPI
import TestKit
import Testing

@testable import Gateway

/// What free calls to an account show about its settings.
@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct AccountCheckTests {
    private static let empty = KlingReply(200, #"{"code":0,"data":[]}"#)
    private static let absent = KlingReply(404, #"{"code":1203,"message":"no such resource"}"#)
    private static let page = KlingReply(200, "<html>welcome</html>")
    private static let newerList = KlingReply(200, #"{"code":0,"data":{"result":[],"has_more":false}}"#)
    private static let unknownTask = KlingReply(400, #"{"code":1201,"message":"Task not found"}"#)

    private static func run(
        _ dialect: KlingDialect? = nil, at baseURL: String = "https://reseller.test/kling", signed: Bool = false,
        _ answer: @escaping @Sendable (KlingCall) throws(KlingFailure) -> KlingReply
    ) async -> (finding: AccountFinding, calls: Int, account: Account) {
        let credential: Account.Credential =
            signed ? .tokens(TokenSigner(accessKey: "a", secretKey: Secret("s"))) : .apiKey(Secret("k"))
        let account = Account(name: "a", baseURL: baseURL, credential: credential, dialect: dialect)
        let kling = AnsweringKling(answer)
        let finding = await AccountCheck(KlingCaller(upstream: kling, observer: Silence())).run(account).finding
        return (finding, kling.calls.count, account)
    }

    /// Answers a list call with `list`, and other calls as a server without the API does.
    private static func kind(_ list: KlingReply) async -> AccountProblem.Kind? {
        await run { call throws(KlingFailure) in call.kind == .list ? list : absent }.finding.problem?.kind
    }

    // MARK: No answer

    @Test(arguments: [
        (ConnectionFault?.some(.nameLookup), UpstreamFault.unreachable, AccountProblem.Kind.nameLookup, "DNS"),
        (.connect, .unreachable, .connect, "firewalls"), (.timeout, .timeout, .connect, "firewalls"),
        (.tls, .unreachable, .tls, "ca_file"), (nil, .timeout, .noAnswer, "try again later"),
        (nil, .interrupted, .noAnswer, "try again later"),
    ])
    func `a missing answer is reported with its reason`(
        connection: ConnectionFault?, fault: UpstreamFault, kind: AccountProblem.Kind, fix: String
    ) async {
        let (finding, calls, _) = await Self.run { _ throws(KlingFailure) in
            throw KlingFailure(fault, wasSent: connection == nil, connection: connection, detail: "the detail")
        }
        #expect(finding.problem?.kind == kind && finding.problem?.isCertain == (kind != .noAnswer) && calls == 1)
        let text = finding.problem?.text ?? ""
        #expect(
            text.contains(fix) && text.contains("the detail") && text.contains("https://reseller.test/kling"), "\(text)"
        )
    }

    // MARK: Kling's codes

    @Test(arguments: [
        (401, 1000, AccountProblem.Kind.key, "secret_key"), (401, 1001, .key, "secret_key"),
        (401, 1002, .key, "secret_key"), (401, 1003, .clock, "ahead"), (401, 1004, .clock, "behind"),
        (429, 1100, .account, "console"), (429, 1101, .account, "console"), (429, 1102, .account, "console"),
        (429, 1304, .account, "console"),
    ])
    func `a refused account is reported with Kling's code and the fix`(
        status: Int, code: Int, kind: AccountProblem.Kind, fix: String
    ) async {
        let (finding, _, _) = await Self.run { _ throws(KlingFailure) in
            KlingReply(status, #"{"code":\#(code),"message":"Kling's words"}"#)
        }
        #expect(finding.problem?.kind == kind)
        let text = finding.problem?.text ?? ""
        #expect(text.contains(fix) && text.contains("code \(code): Kling's words"), "\(text)")
    }

    @Test(arguments: [
        (200, #"{"code":0,"data":[]}"#), (403, #"{"code":1103}"#), (429, #"{"code":1302}"#), (429, #"{"code":1303}"#),
        (400, #"{"code":1201}"#), (500, #"{"code":5000}"#), (503, #"{"code":5001}"#),
    ])
    func `an answer with any other code of Kling's shows that the account was reached`(status: Int, body: String) async
    {
        let (finding, calls, _) = await Self.run { _ throws(KlingFailure) in KlingReply(status, body) }
        #expect(finding == .reached(.kolors) && calls == 1)
    }

    @Test func `an answer without an envelope is reported with its status`() async {
        #expect(await Self.kind(KlingReply(401, "")) == .key)
        #expect(await Self.kind(KlingReply(403, #"{"error":{"code":"insufficient_user_quota"}}"#)) == .account)
        #expect(await Self.kind(KlingReply(503, "<html>down</html>")) == .noAnswer)
        #expect(await Self.kind(KlingReply(429, "slow")) == .noAnswer)
    }

    // MARK: The path and the API

    @Test(arguments: [absent, KlingReply(404, "<html>"), KlingReply(405, ""), page, KlingReply(302, "")])
    func `a URL that answers every path alike has a wrong path`(reply: KlingReply) async {
        let (finding, calls, _) = await Self.run { _ throws(KlingFailure) in reply }
        #expect(finding.problem?.kind == .path && calls == 4)
        #expect(finding.problem?.text.contains("check the path of `url`") == true)
        let signed = await Self.run(signed: true) { _ throws(KlingFailure) in reply }
        #expect(signed.finding.problem?.kind == .path && signed.calls == 3)
    }

    @Test(arguments: [unknownTask, absent, KlingReply(400, #"{"code":"task_not_exist"}"#)])
    func `a reseller without lists is recognized by its answer to a query`(reply: KlingReply) async {
        let (finding, calls, _) = await Self.run { call throws(KlingFailure) in
            call.kind == .query && call.path.contains("kolors") ? reply : KlingReply(404, "Invalid URL")
        }
        #expect(finding == .reached(.kolors) && calls == 4)
    }

    private static func newerOnly(_ call: KlingCall) -> KlingReply {
        call.path.hasPrefix("/solutions") ? newerList : KlingReply(404, #"{"code":1202,"message":"no"}"#)
    }

    @Test func `an account that speaks the other API is used with it, unless the API is configured`() async {
        let detected = await Self.run { call throws(KlingFailure) in Self.newerOnly(call) }
        #expect(detected.finding == .reached(.solutions) && detected.account.capabilities.dialect == .solutions)
        let configured = await Self.run(.kolors) { call throws(KlingFailure) in Self.newerOnly(call) }
        #expect(configured.finding.problem?.kind == .api && configured.account.capabilities.dialect == .kolors)
        #expect(configured.finding.problem?.text.contains("set `api: solutions`") == true)
        // Signed tokens work with the older API only, so the newer one is not tried.
        let signed = await Self.run(signed: true) { call throws(KlingFailure) in Self.newerOnly(call) }
        #expect(signed.finding.problem?.kind == .path)
    }
}

/// When accounts are checked, and what follows.
@Suite struct AccountContactTests {
    private static let problem = AccountFinding.problem(AccountProblem(.connect, "no connection"))

    private static func accounts(_ names: String...) -> (Accounts, HandClock) {
        let clock = HandClock()
        let accounts = Accounts(names.map { account($0) }, clock: clock)
        accounts.beginChecks(now: clock.now)
        return (accounts, clock)
    }

    @Test func `an account is checked again with growing pauses until it is reached`() {
        let (accounts, clock) = Self.accounts("a")
        var checks: [Double] = []
        for second in 0...200 {
            clock.move(to: Double(second))
            guard !accounts.probes(now: clock.now).isEmpty else { continue }
            checks.append(Double(second))
            // While a check runs, no other begins.
            #expect(accounts.probes(now: clock.now).isEmpty)
            #expect(accounts.checked("a", Self.problem, now: clock.now) == (second == 0))
        }
        #expect(checks == [0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181])
        clock.move(to: 211)
        #expect(accounts.probes(now: clock.now).map(\.name) == ["a"])
        #expect(accounts.checked("a", .reached(.kolors), now: clock.now) && !accounts.needsCheck("a"))
        clock.move(to: 900)
        #expect(accounts.probes(now: clock.now).isEmpty)
    }

    @Test func `creates are refused and not queued while no account was ever reached`() {
        let (accounts, clock) = Self.accounts("a", "b")
        #expect(accounts.reachability == .unknown && accounts.canQueue(model: "m"))
        _ = accounts.checked("a", Self.problem, now: clock.now)
        #expect(accounts.reachability == .unknown)
        #expect(accounts.reserve(id(1), model: "m", now: clock.now)?.name == "b")
        _ = accounts.checked("b", Self.problem, now: clock.now)
        #expect(accounts.reachability == .none && !accounts.canQueue(model: "m"))
        #expect(accounts.reserve(id(2), model: "m", now: clock.now) == nil)
        #expect(!accounts.fits(1, model: "m", excluding: [], now: clock.now))
        let error = accounts.refusalError(model: "m", now: clock.now)
        #expect(error.cause == .accountsDisabled && error.message.contains("has been reached so far"))
        #expect(accounts.figures(now: clock.now).map(\.state) == [.unreached, .unreached])
        _ = accounts.checked("a", .reached(.kolors), now: clock.now)
        #expect(accounts.reachability == .reached)
        #expect(accounts.figures(now: clock.now).map(\.state) == [.healthy, .unreached])
        #expect(accounts.reserve(id(3), model: "m", now: clock.now)?.name == "a")
    }

    @Test func `an account that has ever worked stays in use, after a restart too`() throws {
        let (accounts, clock) = Self.accounts("a")
        _ = accounts.checked("a", .reached(.kolors), now: clock.now)
        let saved = try #require(accounts.takeChanged(at: 5).first)
        #expect(saved.wasReached && saved.problem == nil)
        let (again, _) = Self.accounts("a")
        again.restore([saved], running: [], now: clock.now)
        _ = again.checked("a", Self.problem, now: clock.now)
        #expect(again.reachability == .reached && again.canQueue(model: "m"))
        #expect(again.reserve(id(1), model: "m", now: clock.now) != nil)
        #expect(again.takeChanged(at: 6).first?.problem == "no connection")
        // The host itself rejects the path, so the path may have been changed since.
        _ = again.checked("a", .problem(AccountProblem(.path, "no such API")), now: clock.now)
        #expect(again.reachability == .none && !again.canQueue(model: "m"))
        #expect(again.reserve(id(2), model: "m", now: clock.now) == nil)
        // Under another key, it is another account.
        let other = Accounts([account("a", key: "new")], clock: clock)
        other.restore([saved], running: [], now: clock.now)
        #expect(other.reachability != .reached)
    }

    @Test func `a temporary problem blocks no creates`() {
        let (accounts, clock) = Self.accounts("a")
        _ = accounts.checked("a", .problem(AccountProblem(.noAnswer, "later")), now: clock.now)
        // Some resellers answer lists with errors: a load balancer that waited for a better answer would wait forever.
        #expect(accounts.reachability == .reached && accounts.needsCheck("a"))
        #expect(accounts.reserve(id(1), model: "m", now: clock.now) != nil)
        accounts.settled(id(1), on: "a", .accepted, now: clock.now)
        #expect(accounts.reachability == .reached && !accounts.needsCheck("a"))
        // A check that began earlier says nothing new.
        #expect(!accounts.checked("a", Self.problem, now: clock.now))
        #expect(accounts.takeChanged(at: 1).first?.problem == nil)
    }
}
