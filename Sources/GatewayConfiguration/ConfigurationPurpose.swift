/// What a configuration is read for.
public enum ConfigurationPurpose: Sendable {
    /// To serve, or to show the accounts: everything is read and checked.
    case serving
    /// To work on the store or to ask the operators' listener. Accounts, client keys, certificates, the operators'
    /// token and the webhook for alerts are not read, so that their secrets may be missing.
    case administration
    /// To call the operators' listener: as for administration, but the operators' token is read.
    case calls
    /// To try the webhook for alerts: as ``administration``, and the webhook with its secret.
    case alerting

    /// The paths of the keys that are left out.
    private var ignored: [String] {
        switch self {
        case .serving: []
        case .administration: Self.unneeded + ["admin.token", "alerts"]
        case .calls: Self.unneeded + ["alerts"]
        case .alerting: Self.unneeded + ["admin.token"]
        }
    }

    private static let unneeded = ["upstreams", "keys", "tls"]

    /// Removes what is not needed from the file's content.
    func narrow(_ root: inout ConfigurationNode) {
        for path in ignored { root.remove(path.split(separator: ".")[...]) }
    }
}
