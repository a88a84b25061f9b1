/// What can go wrong when a query or a list searches for tasks.
///
/// The text form is `lag=1.5` for queries and lists, and `stranger`, `stranger-unnamed` and `stranger-renumbered` for
/// queries.
public enum SearchFault: Sendable, Hashable {
    /// Tasks younger than this, in milliseconds, are not found by their external id, or not listed.
    case lag(Int)
    /// A different task is returned.
    case stranger(Stranger)

    /// Which task is returned instead.
    public enum Stranger: String, Sendable, CaseIterable {
        /// The account's newest other task, or a made-up one, whether the requested task exists or not.
        case another = "stranger"
        /// The same, without an external id.
        case unnamed = "stranger-unnamed"
        /// The same, with the external id of the requested task, if the query was by its own id.
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
