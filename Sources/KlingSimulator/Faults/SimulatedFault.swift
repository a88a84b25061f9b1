internal import Base
public import KlingAPI

/// A fault in an answer or in a callback.
///
/// Its text form is a name, with a value for some faults: `1303`, `http-502`, `slow=2.5`, `reset-mid-body`, `lag=1.5`.
/// With the prefix `made-`, the request is carried out before its answer goes wrong: `made-5000` makes the task, `5000`
/// does not. `lost-answer` is an alias of `made-reset`.
public struct SimulatedFault: Sendable, Hashable {
    /// What goes wrong.
    public enum Kind: Sendable, Hashable {
        /// An envelope with this code.
        case code(KlingCode)
        /// An HTTP status without Kling's envelope; 3xx with a `Location`.
        case status(Int, BareBody)
        /// Valid HTTP that is not one of Kling's answers.
        case answer(FaultyAnswer)
        /// A violation of HTTP, or a broken connection.
        case wire(WireFault)
        /// The correct answer, delayed by this many milliseconds.
        case slow(Int)
        /// A search that misses tasks or returns a different one.
        case finding(SearchFault)
        /// A faulty callback.
        case callback(CallbackFault)
    }

    public var kind: Kind
    /// Whether the request is carried out before its answer goes wrong.
    public var isDone: Bool

    public init(_ kind: Kind, isDone: Bool = false) {
        self.kind = kind
        self.isDone = isDone
    }

    /// Parses the text form of a fault; nil if it is unknown.
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

    /// The names of all faults, for messages.
    public static let usage: String = {
        let codes = KlingCode.documented.dropFirst().map { String($0.rawValue) }
        let names = FaultyAnswer.allCases.map(\.rawValue) + WireFault.allCases.map(\.rawValue)
        let statuses = ["http-STATUS"] + BareBody.allCases.map { "http-STATUS-\($0.rawValue)" }
        let others = ["slow=SECONDS"] + names + SearchFault.names + CallbackFault.names
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
        return SearchFault(text).map(Kind.finding) ?? CallbackFault(text).map(Kind.callback)
    }

    /// Parses `STATUS` or `STATUS-BODY`.
    private static func status(_ text: Substring) -> Kind? {
        let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let status = Int(parts[0]), (200...599).contains(status) else { return nil }
        guard parts.count == 2 else { return .status(status, .html) }
        return BareBody(rawValue: String(parts[1])).map { .status(status, $0) }
    }

    /// What the fault can happen to.
    var points: Set<FaultRule.Point> {
        switch kind {
        case .callback: [.callback]
        case .finding(.lag): [.query, .list]
        case .finding(.stranger): [.query]
        case .code, .status, .answer, .wire, .slow: [.create, .query, .list]
        }
    }

    /// The fault of a search, if it is one.
    var finding: SearchFault? { if case .finding(let fault) = kind { fault } else { nil } }

    static func milliseconds(_ seconds: Substring) -> Int? {
        guard let seconds = Double(seconds), (0...86_400).contains(seconds) else { return nil }
        return Int(seconds * 1000)
    }
}

/// The body of an HTTP status without Kling's envelope.
public enum BareBody: String, Sendable, CaseIterable {
    /// An HTML page, as proxies send it.
    case html
    /// `{"error":{...}}`, as sent by new-api and similar software, on which most resellers run.
    case error
    /// `{"code":"insufficient_user_quota",...}`, as sent by new-api's task routes: the code is a string.
    case code
}

/// Valid HTTP that is not one of Kling's answers.
public enum FaultyAnswer: String, Sendable, CaseIterable {
    /// Success, without a task id.
    case withoutTaskID = "no-task-id"
    /// Success, with a task id of 300 bytes.
    case longTaskID = "long-id"
    /// Success, with control characters in the task id.
    case controlTaskID = "control-id"
    /// 200 with an HTML page.
    case html
    /// 200 with truncated JSON.
    case notJSON = "not-json"
    /// 200 with an empty body.
    case empty
    /// 200 with 100 MiB of JSON.
    case huge
    /// 200 with `Content-Encoding: gzip` and 100 KB that decompress to 100 MB of zeros.
    case gzipBomb = "gzip-bomb"
    /// No answer while the connection stays open.
    case silence
}

/// Violations of HTTP (RFC 9112), and broken connections.
public enum WireFault: String, Sendable, CaseIterable {
    /// Reset before an answer.
    case reset
    /// Closed before an answer, like a connection that was kept alive for too long.
    case close
    /// Reset after the head.
    case resetAfterHead = "reset-after-head"
    /// Reset in the middle of the body.
    case resetMidBody = "reset-mid-body"
    /// Closed in the middle of the body: `Content-Length` promises more than comes.
    case lengthTooLong = "length-too-long"
    /// More bytes arrive than `Content-Length` says.
    case lengthTooShort = "length-too-short"
    /// Bytes that are not a status line.
    case garbage
    /// A thousand interim responses, and no final one.
    case interimFlood = "interim-flood"
}

/// What can go wrong with a callback.
public enum CallbackFault: Sendable, Hashable {
    /// It is not sent.
    case lost
    /// It is sent twice.
    case duplicate
    /// It is sent this many milliseconds late, and so after the callbacks that follow it.
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
