/// What this build is.
enum Version {
    /// Semantic version of the gateway.
    static let number = "0.1.0"
}
