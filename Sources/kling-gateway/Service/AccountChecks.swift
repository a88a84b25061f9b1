internal import EventLoop
internal import Gateway
internal import GatewayConfiguration

/// Checks accounts without a gateway, all at the same time.
struct AccountChecks {
    private let upstreams: [Upstream]
    private let loop: EventLoop
    private let client: CurlUpstream

    init(_ upstreams: [Upstream]) throws {
        self.upstreams = upstreams
        loop = try EventLoop(name: "check")
        client = try CurlUpstream(loops: [loop], .wanted)
    }

    /// Calls every account. Call it once.
    /// - Returns: what is wrong, by the account's name.
    func troubles() async -> [String: AccountTrouble] {
        let check = AccountCheck(upstream: client, observer: Unobserved())
        let calls = upstreams.map { upstream in
            let account = upstream.account
            return (upstream.name, loop.spawn { await check.trouble(of: account) })
        }
        var troubles: [String: AccountTrouble] = [:]
        for (name, call) in calls { troubles[name] = await call.value }
        client.shutdown()
        loop.stop()
        return troubles
    }
}

/// Ignores all events: the caller prints what it wants to be seen.
private struct Unobserved: GatewayObserver {
    func upstreamCall(_ call: KlingCall, _ end: UpstreamCallEnd) {}
    func event(_ level: GatewayEventLevel, _ message: StaticString, _ details: [(StaticString, String)]) {}
}
