/// What can go wrong with what a query or a list finds.
///
/// As text: `lag=1.5` for queries and lists, `stranger`, `stranger-unnamed` and `stranger-renumbered` for queries.
public enum FindingFault: Sendable, Hashable {
    /// Tasks younger than this, in milliseconds, are not found by their external id, or not listed.
    case lag(Int)
    /// Another task is shown.
    case stranger(Stranger)

    /// In what way it is another one.
    public enum Stranger: String, Sendable, CaseIterable {
        /// The account's newest other task, or one of nobody, in the place of the one that was asked for, known or not.
        case another = "stranger"
        /// The same, without an external id.
        case unnamed = "stranger-unnamed"
        /// The same, under the external id of the one that was asked for by its own id.
        case renumbered = "stranger-renumbered"
    }

    static let names = ["lag=SECONDS"] + Stranger.allCases.map(\.rawValue)

    init?(_ text: String) {
        if let stranger = Stranger(rawValue: text) {
            self = .stranger(stranger)
        } else {
            guard text.hasPrefix("lag="), let lag = SimulatedFault.milliseconds(text.dropFirst(4)) else { return nil }
            self = .lag(lag)
        }
    }

    /// How old a task must be to be found, in milliseconds.
    var lag: Int { if case .lag(let lag) = self { lag } else { 0 } }
}
