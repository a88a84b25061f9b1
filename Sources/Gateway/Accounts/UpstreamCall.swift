public import KlingAPI

/// What a call to an upstream account was for.
public enum UpstreamCallKind: String, CaseIterable, Sendable {
    /// Make a task.
    case create
    /// Read one task.
    case query
    /// Read a page of tasks.
    case list
}

/// What became of a call to an upstream account: a closed set, whatever an upstream answers.
public enum UpstreamCallOutcome: Hashable, Sendable {
    /// Kling's envelope came, with this service code; codes that are not documented are counted as one.
    case code(KlingCode)
    /// No envelope came.
    case fault(UpstreamFault)

    /// The outcome in a word, for logs.
    var word: String {
        switch self {
        case .code(let code): String(code.rawValue)
        case .fault(let fault): fault.rawValue
        }
    }
}

/// Why a call brought no envelope.
public enum UpstreamFault: String, CaseIterable, Sendable {
    /// Name look-up, connect or TLS failed: nothing was sent.
    case unreachable
    /// No answer in time.
    case timeout
    /// The connection ended before the answer was complete.
    case interrupted
    /// The answer was longer than allowed.
    case tooLarge = "too_large"
    /// The answer was not Kling's envelope.
    case malformed
    /// An HTTP error without an envelope.
    case httpError = "http_error"
    /// The gateway gave the call up itself.
    case cancelled
    /// Anything else.
    case other
}

/// The label values of outcomes, each with a place in a row of counters.
enum UpstreamOutcomeSlots {
    /// The label's values, by place.
    static let labels: [String] =
        KlingCode.documented.map { "\($0.rawValue)" } + ["unknown_code"] + UpstreamFault.allCases.map(\.rawValue)

    private static let unknownCode = KlingCode.documented.count
    private static let places = Dictionary(
        uniqueKeysWithValues: KlingCode.documented.enumerated().map { ($0.element.rawValue, $0.offset) })
    private static let faults = Dictionary(
        uniqueKeysWithValues: UpstreamFault.allCases.enumerated().map { ($0.element, unknownCode + 1 + $0.offset) })

    /// The place of `outcome`.
    static func place(of outcome: UpstreamCallOutcome) -> Int {
        switch outcome {
        case .code(let code): places[code.rawValue] ?? unknownCode
        case .fault(let fault): faults[fault] ?? unknownCode
        }
    }
}
