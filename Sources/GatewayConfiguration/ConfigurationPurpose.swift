/// What a configuration is read for.
public enum ConfigurationPurpose: Sendable {
    /// To serve, or to show the accounts: everything is read and checked.
    case serving
    /// To work on the store or to ask the operators' listener. Accounts, client keys, certificates and the operators'
    /// token are not read, so that their secrets may be missing.
    case administration
    /// To call the operators' listener: as for administration, but the operators' token is read.
    case calls

    /// The paths of the keys that are left out.
    private var ignored: [String] {
        switch self {
        case .serving: []
        case .administration: Self.unneeded + ["admin.token"]
        case .calls: Self.unneeded
        }
    }

    private static let unneeded = ["upstreams", "keys", "tls"]

    /// Removes what is not needed from the file's content.
    func narrow(_ root: inout ConfigurationNode) {
        for path in ignored { root.remove(path.split(separator: ".")[...]) }
    }
}
