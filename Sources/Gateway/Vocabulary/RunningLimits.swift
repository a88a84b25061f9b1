/// Who has a limit of running tasks.
struct RunningLimits: Sendable, Equatable {
    /// The ids of keys.
    var keys: Set<String> = []
    /// The names of tenants.
    var tenants: Set<String> = []

    /// Whether all of these are among `others`.
    func isSubset(of others: RunningLimits) -> Bool {
        keys.isSubset(of: others.keys) && tenants.isSubset(of: others.tenants)
    }
}
