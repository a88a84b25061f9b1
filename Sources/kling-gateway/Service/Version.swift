/// The version of this build.
enum Version {
    /// The gateway's semantic version.
    static let number = "0.2.0"
}
