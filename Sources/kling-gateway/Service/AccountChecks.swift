internal import EventLoop
internal import Gateway
internal import GatewayConfiguration

/// Checks accounts concurrently, without a running gateway.
struct AccountChecks {
    private let upstreams: [Upstream]
    private let loop: EventLoop
    private let client: HTTPUpstream

    init(_ upstreams: [Upstream]) throws {
        self.upstreams = upstreams
        loop = try EventLoop(name: "check")
        client = try HTTPUpstream(loops: [loop], .wanted)
    }

    /// Checks every account. Call it only once: it shuts down the client and the loop.
    /// - Returns: what is wrong, by the account's name. Accounts that work are left out.
    func problems() async -> [String: AccountProblem] {
        let check = AccountCheck(upstream: client, observer: SilentObserver())
        let calls = upstreams.map { upstream in
            let account = upstream.account
            return (upstream.name, loop.spawn { await check.problem(of: account) })
        }
        var problems: [String: AccountProblem] = [:]
        for (name, call) in calls { problems[name] = await call.value }
        client.shutdown()
        loop.stop()
        return problems
    }
}

/// Ignores all events: the caller prints the results.
private struct SilentObserver: GatewayObserver {
    func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd) {}
    func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {}
}
