internal import Base
internal import KlingAPI
internal import TaskStore

/// Checks an account's settings with free calls.
public struct AccountCheck: Sendable {
    private let caller: KlingCaller

    /// How long one call may take.
    static let timeout = Duration.seconds(10)

    /// - Parameter observer: receives the end of every call.
    public init(upstream: any KlingUpstream, observer: any GatewayObserver) {
        self.init(KlingCaller(upstream: upstream, observer: observer))
    }

    init(_ caller: KlingCaller) { self.caller = caller }

    /// Checks an account with at most four calls. Call it on an event loop.
    /// - Returns: what is wrong; `nil` if the account works.
    public func problem(of account: Account) async -> AccountProblem? { await run(account).finding.problem }

    /// Checks an account with at most four calls. If it speaks the other API, the gateway uses that from now on.
    /// - Returns: the finding, and the answer to the list call; `nil` if there was none.
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

    /// Makes the calls that are needed when the answer to the list call is inconclusive.
    private func complete(_ evidence: inout AccountEvidence, _ destination: Destination) async {
        let account = destination.account
        if let other = account.capabilities.otherAPI(than: destination.dialect) {
            let listed = try? await caller.list(Destination(account, other), timeout: Self.timeout)
            evidence.hasListInOtherAPI = listed?.page != nil
            evidence.mayChangeAPI = destination.alternative != nil
            if evidence.hasListInOtherAPI { return }
        }
        guard let id = TaskID("00000000000000000000000000") else { return }
        let unknownTask = TaskReference(id: id, upstreamID: nil)
        // No task has this id.
        let query = destination.dialect.adapter.query([unknownTask])
        evidence.query = try? await caller.call(query, of: [], account, timeout: Self.timeout)
        // No API has this path.
        let unknownRoute = UpstreamRequest(kind: .query, path: "/v1/images/no-such-route/\(id)")
        evidence.unknownRoute = try? await caller.call(unknownRoute, of: [], account, timeout: Self.timeout)
    }
}
