/// One of the two APIs of Kling's virtual try-on.
public enum SimulatedDialect: String, Sendable, CaseIterable {
    /// `/v1/images/kolors-virtual-try-on`.
    case kolors
    /// `/solutions/virtual_try_on` and `/solutions`.
    case solutions
}

/// The APIs that an account has.
public enum SimulatedAPI: String, Sendable, CaseIterable {
    case kolors, solutions, both

    /// Whether `dialect` is one of them.
    public func has(_ dialect: SimulatedDialect) -> Bool { self == .both || rawValue == dialect.rawValue }

    /// The syntax on the command line.
    public static let usage = allCases.map(\.rawValue).joined(separator: "|")
}
