/// One of the two interfaces that Kling's virtual try-on has.
public enum SimulatedDialect: String, Sendable, CaseIterable {
    /// `/v1/images/kolors-virtual-try-on`.
    case kolors
    /// `/solutions/virtual_try_on` and `/solutions`.
    case solutions
}

/// Which interfaces an account has.
public enum SimulatedAPI: String, Sendable, CaseIterable {
    case kolors, solutions, both

    /// Whether `dialect` is one of them.
    public func has(_ dialect: SimulatedDialect) -> Bool { self == .both || rawValue == dialect.rawValue }

    /// How it is written on a command line.
    public static let usage = allCases.map(\.rawValue).joined(separator: "|")
}
