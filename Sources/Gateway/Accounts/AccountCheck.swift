internal import Base
internal import KlingAPI
internal import TaskStore

/// Finds out with free calls whether an account's settings are right.
public struct AccountCheck: Sendable {
    private let caller: KlingCaller

    /// How long one call may take.
    static let timeout = Duration.seconds(10)

    /// - Parameter observer: is told of every call.
    public init(upstream: any KlingUpstream, observer: any GatewayObserver) {
        self.init(KlingCaller(upstream: upstream, observer: observer))
    }

    init(_ caller: KlingCaller) { self.caller = caller }

    /// Calls an account, at most four times. Call it on an event loop.
    /// - Returns: what is wrong; `nil` if the account has been reached and accepts the gateway.
    public func trouble(of account: Account) async -> AccountTrouble? { await run(account).finding.trouble }

    /// Calls an account, at most four times.
    /// - Returns: what is known of it now, and the answer to its list call.
    func run(_ account: Account) async -> (finding: AccountFinding, list: UpstreamAnswer?) {
        let destination = Destination(account)
        let list: Result<UpstreamAnswer, KlingFailure>
        do {
            list = .success(try await caller.list(destination, timeout: Self.timeout).answer)
        } catch {
            list = .failure(error)
        }
        var evidence = AccountEvidence(url: account.baseURL, dialect: destination.dialect, list: list)
        if evidence.needsMore { await complete(&evidence, destination) }
        let finding = evidence.finding
        if case .reached(let dialect) = finding, dialect != destination.dialect {
            Destination(account, dialect).confirm()
        }
        return (finding, try? list.get())
    }

    private func complete(_ evidence: inout AccountEvidence, _ destination: Destination) async {
        let account = destination.account
        if let other = account.capabilities.otherAPI(than: destination.dialect) {
            let listed = try? await caller.list(Destination(account, other), timeout: Self.timeout)
            evidence.hasListInOtherAPI = listed?.page != nil
            evidence.mayChangeAPI = destination.alternative != nil
            if evidence.hasListInOtherAPI { return }
        }
        guard let id = TaskID("00000000000000000000000000") else { return }
        let nobody = TaskReference(id: id, upstreamID: nil)
        // No task has this id, and no API this path.
        let query = destination.dialect.adapter.query([nobody])
        evidence.query = try? await caller.call(query, of: [], account, timeout: Self.timeout)
        let nowhere = UpstreamRequest(kind: .query, path: "/v1/images/no-such-route/\(id)")
        evidence.nowhere = try? await caller.call(nowhere, of: [], account, timeout: Self.timeout)
    }
}
