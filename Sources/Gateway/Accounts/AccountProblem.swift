internal import KlingAPI

/// A problem with an account's settings or host that a free call has shown, and how to fix it.
public struct AccountProblem: Sendable, Hashable {
    /// The kinds of problems.
    public enum Kind: String, Sendable, CaseIterable {
        /// The host's name has no address.
        case nameLookup = "name_lookup"
        /// No connection can be made.
        case connect
        /// TLS fails.
        case tls
        /// The host does not have the API at the URL's path.
        case path
        /// The account speaks only the other of Kling's two APIs.
        case api
        /// Kling does not accept the key.
        case key
        /// This machine's clock is wrong: Kling receives tokens outside their validity period.
        case clock
        /// Kling has disabled the account.
        case account
        /// There was no answer, or one that says nothing about the account.
        case noAnswer = "no_answer"
    }

    /// The kind of problem.
    public let kind: Kind
    /// What is wrong and how to fix it, for operators only: it names the host.
    public let text: String

    init(_ kind: Kind, _ text: String) { (self.kind, self.text) = (kind, text) }

    /// Whether the problem is in a setting that is not part of the account's identity.
    var isInSettings: Bool { kind == .path || kind == .api }

    /// Whether a create would certainly fail.
    var isCertain: Bool { kind != .noAnswer && kind != .account }
}

/// What free calls to an account have shown.
enum AccountFinding: Sendable, Hashable {
    /// The account works, and speaks this API.
    case reached(KlingDialect)
    /// Something is wrong.
    case problem(AccountProblem)

    /// What is wrong, if anything.
    var problem: AccountProblem? { if case .problem(let problem) = self { problem } else { nil } }
}

/// The answers to the free calls that check an account. Calls after the first are made only if its answer is
/// inconclusive.
struct AccountEvidence: Sendable {
    /// The account's URL, for messages.
    let url: String
    /// The API that was called.
    let dialect: KlingDialect
    /// The answer to a list call.
    var list: Result<UpstreamAnswer, KlingFailure>
    /// Whether the account has listed its tasks through the other API.
    var hasListInOtherAPI = false
    /// Whether the gateway may use the other API.
    var mayChangeAPI = false
    /// The answer to a query for a task that doesn't exist.
    var query: UpstreamAnswer?
    /// The answer to a request for a path that doesn't exist.
    var unknownRoute: UpstreamAnswer?

    /// Whether more calls are needed: the answer to the list call doesn't say whether the account has this API at this
    /// URL, because some resellers have no list.
    var needsMore: Bool { if case .success(let answer) = list { answer.isForeign } else { false } }

    /// What the answers show.
    var finding: AccountFinding {
        switch list {
        case .failure(let failure): return .problem(AccountProblem(failure, url))
        case .success(let answer) where answer.isForeign: return beyondList(answer)
        case .success(.enveloped(_, let answer)): return finding(answer.code, answer.message)
        case .success(.bare(let answer)):
            if case .account(let code) = answer.verdict { return finding(code, answer.summary) }
            return .problem(AccountProblem(.noAnswer, "\(url) answers \(answer.summary): try again later"))
        }
    }

    private func beyondList(_ answer: UpstreamAnswer) -> AccountFinding {
        if hasListInOtherAPI {
            let other: KlingDialect = dialect == .kolors ? .solutions : .kolors
            if mayChangeAPI { return .reached(other) }
            return .problem(
                AccountProblem(
                    .api,
                    "the account speaks the API `\(other.rawValue)`, not `\(dialect.rawValue)`: set `api: "
                        + "\(other.rawValue)` for it, or leave `api` out"))
        }
        if let query, !query.isForeign || query.isUnknownTask, query.summary != unknownRoute?.summary {
            return .reached(dialect)
        }
        return .problem(
            AccountProblem(
                .path,
                "\(url) does not have this API (\(answer.summary)): check the path of `url`. Kling's own hosts have none, "
                    + "and resellers usually have /kling"))
    }

    private func finding(_ code: KlingCode, _ message: String) -> AccountFinding {
        let said = message.hasPrefix("HTTP ") ? message : "code \(code.rawValue): \(message)"
        switch code {
        case .authenticationFailed, .authorizationEmpty, .authorizationInvalid:
            return .problem(
                AccountProblem(
                    .key,
                    "\(url) refuses the key (\(said)): check `access_key` and `secret_key`, or `api_key`. Keys for "
                        + "Kling in China and for its global service are separate"))
        case .tokenNotYetValid, .tokenExpired:
            return .problem(
                AccountProblem(
                    .clock,
                    "\(url) says that a new token is \(code == .tokenExpired ? "expired" : "not yet valid") "
                        + "(\(said)): correct this machine's clock, which is \(code == .tokenExpired ? "behind" : "ahead")"
                )
            )
        case _ where code.class == .credentials:
            return .problem(
                AccountProblem(.account, "Kling has disabled the account (\(said)): check it in Kling's console"))
        default: return .reached(dialect)
        }
    }
}

extension AccountProblem {
    /// Describes why there was no answer.
    fileprivate init(_ failure: KlingFailure, _ url: String) {
        let detail = failure.detail
        switch failure.connection {
        case .nameLookup:
            self.init(.nameLookup, "the host of \(url) has no address (\(detail)): check `url` and this machine's DNS")
        case .tls:
            self.init(
                .tls,
                "the TLS handshake with \(url) fails (\(detail)): check `url`, and set `ca_file` if the host has a private "
                    + "certificate authority")
        case .connect, .timeout:
            self.init(
                .connect, "cannot connect to \(url) (\(detail)): check `url`, `proxy` and the firewalls in between")
        case nil: self.init(.noAnswer, "\(url) does not answer a list call (\(detail)): try again later")
        }
    }
}

extension UpstreamAnswer {
    /// Whether the answer may come from something other than Kling's API: it says that there is no such route, or it is
    /// a success or a redirect without an envelope.
    fileprivate var isForeign: Bool {
        if hasNoRoute { return true }
        if case .bare(let answer) = self { return (200...399).contains(answer.httpStatus) }
        return false
    }

    /// Whether the answer says that there is no such task, which shows that the API exists.
    fileprivate var isUnknownTask: Bool {
        switch self {
        case .bare(let answer): answer.isUnknownTask
        case .enveloped(_, let answer): answer.isUnknownTask
        }
    }

    /// The answer in one line.
    fileprivate var summary: String {
        switch self {
        case .bare(let answer): answer.summary
        case .enveloped(let status, let answer): "HTTP \(status), code \(answer.code.rawValue): \(answer.message)"
        }
    }
}
