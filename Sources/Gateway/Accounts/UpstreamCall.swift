public import KlingAPI

/// What a call to an upstream account was for.
public enum UpstreamCallKind: String, CaseIterable, Sendable {
    /// Create a task.
    case create
    /// Query tasks.
    case query
    /// List a page of tasks.
    case list
}

/// The outcome of a call to an upstream account. The set of outcomes is closed, whatever the upstream answers.
public enum UpstreamCallOutcome: Hashable, Sendable {
    /// Kling's envelope with this service code. Metrics count all undocumented codes as one.
    case code(KlingCode)
    /// No envelope.
    case fault(UpstreamFault)

    /// The outcome as one word, for logs.
    var word: String {
        switch self {
        case .code(let code): String(code.rawValue)
        case .fault(let fault): fault.rawValue
        }
    }
}

/// Why a call has no envelope.
public enum UpstreamFault: String, CaseIterable, Sendable {
    /// DNS lookup, connect or TLS failed: nothing was sent.
    case unreachable
    /// There was no answer within the timeout.
    case timeout
    /// The connection ended before the answer was complete.
    case interrupted
    /// The answer was longer than allowed.
    case tooLarge = "too_large"
    /// The answer was not Kling's envelope.
    case malformed
    /// An HTTP error without an envelope.
    case httpError = "http_error"
    /// The gateway cancelled the call.
    case cancelled
    /// Anything else.
    case other
}

/// The metric label values of outcomes, each with an index into an array of counters.
enum UpstreamOutcomeSlots {
    /// The label values, by index.
    static let labels: [String] =
        KlingCode.documented.map { "\($0.rawValue)" } + ["unknown_code"] + UpstreamFault.allCases.map(\.rawValue)

    private static let unknownCode = KlingCode.documented.count
    private static let faults = Dictionary(
        uniqueKeysWithValues: UpstreamFault.allCases.enumerated().map { ($0.element, unknownCode + 1 + $0.offset) })

    /// The index of `outcome`.
    static func index(of outcome: UpstreamCallOutcome) -> Int {
        switch outcome {
        case .code(let code): KlingCode.documented.firstIndex(of: code) ?? unknownCode
        case .fault(let fault): faults[fault] ?? unknownCode
        }
    }
}
