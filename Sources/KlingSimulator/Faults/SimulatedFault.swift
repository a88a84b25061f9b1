internal import Base
public import KlingAPI

/// Something that goes wrong with an answer.
///
/// As text it is a name, for some with a value: `1303`, `http-502`, `slow=2.5`, `reset-mid-body`, `lag=1.5`. With `made-` in front
/// the request is done all the same before its answer goes wrong: `made-5000` has made the task, `5000` has not.
/// `lost-answer` is another word for `made-reset`.
public struct SimulatedFault: Sendable, Hashable {
    /// What goes wrong.
    public enum Kind: Sendable, Hashable {
        /// An envelope with this code.
        case code(KlingCode)
        /// An HTTP status without an envelope of Kling; 3xx with a `Location`.
        case status(Int, BareBody)
        /// An answer that is no answer of Kling.
        case answer(FaultyAnswer)
        /// A breach of HTTP, or of the connection.
        case wire(WireFault)
        /// The right answer, late, in milliseconds.
        case slow(Int)
        /// Something else is found than what is there.
        case finding(FindingFault)
        /// Something about a callback.
        case callback(CallbackFault)
    }

    public var kind: Kind
    /// Whether the request is done before its answer goes wrong.
    public var isDone: Bool

    public init(_ kind: Kind, isDone: Bool = false) {
        self.kind = kind
        self.isDone = isDone
    }

    /// Reads a fault as text; nil if there is none of that name.
    public init?(_ text: String) {
        if text == "lost-answer" {
            self.init(.wire(.reset), isDone: true)
            return
        }
        let prefix = "made-"
        let isDone = text.hasPrefix(prefix)
        guard let kind = Self.kind(isDone ? String(text.dropFirst(prefix.count)) : text) else { return nil }
        self.init(kind, isDone: isDone)
    }

    /// Every fault there is, for messages.
    public static let usage: String = {
        let codes = KlingCode.documented.dropFirst().map { String($0.rawValue) }
        let names = FaultyAnswer.allCases.map(\.rawValue) + WireFault.allCases.map(\.rawValue)
        let statuses = ["http-STATUS"] + BareBody.allCases.map { "http-STATUS-\($0.rawValue)" }
        let others = ["slow=SECONDS"] + names + FindingFault.names + CallbackFault.names
        return (["lost-answer"] + codes + statuses + others).joined(separator: ", ")
    }()

    private static func kind(_ text: String) -> Kind? {
        if let code = Int(text).map(KlingCode.init(rawValue:)), code != .ok, KlingCode.documented.contains(code) {
            return .code(code)
        }
        if text.hasPrefix("http-") { return status(text.dropFirst("http-".count)) }
        if text.hasPrefix("slow="), let delay = milliseconds(text.dropFirst("slow=".count)) { return .slow(delay) }
        if let answer = FaultyAnswer(rawValue: text) { return .answer(answer) }
        if let wire = WireFault(rawValue: text) { return .wire(wire) }
        return FindingFault(text).map(Kind.finding) ?? CallbackFault(text).map(Kind.callback)
    }

    /// Reads `STATUS` or `STATUS-BODY`.
    private static func status(_ text: Substring) -> Kind? {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let status = Int(parts[0]), (200...599).contains(status) else { return nil }
        guard parts.count == 2 else { return .status(status, .html) }
        return BareBody(rawValue: String(parts[1])).map { .status(status, $0) }
    }

    /// What it can happen to.
    var points: Set<FaultRule.Point> {
        switch kind {
        case .callback: [.callback]
        case .finding(.lag): [.query, .list]
        case .finding(.stranger): [.query]
        case .code, .status, .answer, .wire, .slow: [.create, .query, .list]
        }
    }

    /// What goes wrong with a finding, if that is it.
    var finding: FindingFault? { if case .finding(let fault) = kind { fault } else { nil } }

    static func milliseconds(_ seconds: Substring) -> Int? {
        guard let seconds = Double(seconds), (0...86_400).contains(seconds) else { return nil }
        return Int(seconds * 1000)
    }
}

/// What an HTTP status without an envelope of Kling brings with it.
public enum BareBody: String, Sendable, CaseIterable {
    /// A page of HTML, as proxies send it.
    case html
    /// `{"error":{...}}`, as new-api and its like send it, on which most resellers run.
    case error
    /// `{"code":"insufficient_user_quota",...}`, as new-api's task routes send it: the code is a text.
    case code
}

/// Answers that are sound HTTP but no answers of Kling.
public enum FaultyAnswer: String, Sendable, CaseIterable {
    /// Success, without the task's id.
    case withoutTaskID = "no-task-id"
    /// Success, with a task's id of 300 bytes.
    case longTaskID = "long-id"
    /// Success, with control characters in the task's id.
    case controlTaskID = "control-id"
    /// 200 with a page of HTML.
    case html
    /// 200 with half of a JSON text.
    case notJSON = "not-json"
    /// 200 with nothing.
    case empty
    /// 200 with 100 MiB of JSON.
    case huge
    /// 200 with `Content-Encoding: gzip` and 100 MB of zeros behind 100 KB.
    case gzipBomb = "gzip-bomb"
    /// None, as long as the connection lives.
    case silence
}

/// Breaches of HTTP (RFC 9112) and of the connection.
public enum WireFault: String, Sendable, CaseIterable {
    /// Reset before an answer.
    case reset
    /// Closed before an answer, as a connection that was kept alive for too long.
    case close
    /// Reset after the head.
    case resetAfterHead = "reset-after-head"
    /// Reset in the middle of the body.
    case resetMidBody = "reset-mid-body"
    /// Closed in the middle of the body: `Content-Length` promises more than comes.
    case lengthTooLong = "length-too-long"
    /// More comes than `Content-Length` says.
    case lengthTooShort = "length-too-short"
    /// A status line that is none.
    case garbage
    /// A thousand interim answers, and none after them.
    case interimFlood = "interim-flood"
}

/// What can go wrong with a callback.
public enum CallbackFault: Sendable, Hashable {
    /// It is not sent.
    case lost
    /// It is sent twice.
    case duplicate
    /// It is sent this much later, in milliseconds, and so after those that follow.
    case late(Int)

    static let names = ["lost", "duplicate", "late=SECONDS"]

    init?(_ text: String) {
        switch text {
        case "lost": self = .lost
        case "duplicate": self = .duplicate
        default:
            guard text.hasPrefix("late="), let delay = SimulatedFault.milliseconds(text.dropFirst(5)) else {
                return nil
            }
            self = .late(delay)
        }
    }
}
