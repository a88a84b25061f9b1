/// What this build is.
enum Version {
    /// Semantic version of the gateway.
    static let number = "0.1.0"
    /// The commit it was built from, where the build says so.
    static let revision = "unknown"
}
