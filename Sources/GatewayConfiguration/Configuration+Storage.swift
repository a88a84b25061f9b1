public import Base

extension Configuration {
    /// What is kept on disk.
    public struct Storage: Sendable {
        /// Where tasks and keys are kept.
        public internal(set) var store = StoreLocation.sqlite(path: "")
        /// What encrypts secrets in the store.
        public internal(set) var masterKey = MasterKeySource.madeAt(path: "")
        /// The folder for queued payloads.
        public internal(set) var spool = ""
        /// How long records are kept.
        public internal(set) var retention = Retention()
    }

    /// How long records are kept.
    public struct Retention: Sendable {
        /// How long finished tasks are kept.
        public internal(set) var tasks = Duration.seconds(400 * 86_400)
        /// How long deliveries are kept after they were made or given up.
        public internal(set) var deliveries = Duration.seconds(30 * 86_400)
    }
}

/// Where tasks and keys are kept.
public enum StoreLocation: Sendable, Hashable {
    /// An SQLite file.
    case sqlite(path: String)

    /// The folder that contains it. The spool and the master key are in the same folder.
    public var directory: String {
        switch self {
        case .sqlite(let path): FilePath.parent(of: path)
        }
    }

    /// The default folder of the spool. A gateway removes from its spool what its store doesn't know.
    var spool: String { beside("spool") }

    /// The folder of uploaded pictures.
    public var assets: String { beside("assets") }

    /// The folder of pictures that Kling gets as links.
    public var pictures: String { beside("pictures") }

    /// The file for ids that clients were told while the store could not be written to.
    public var unsavedPublicIDs: String { beside("told") }

    /// A file or folder beside `gateway.db`. A store with another name gets files named after it.
    private func beside(_ name: String) -> String {
        switch self {
        case .sqlite(let path): path == "\(directory)/gateway.db" ? "\(directory)/\(name)" : "\(path).\(name)"
        }
    }
}

/// What encrypts secrets in the store.
public enum MasterKeySource: Sendable {
    /// A key that the operator has set.
    case value(Secret)
    /// A file that the gateway creates at its first start, mode 0600.
    case madeAt(path: String)
}
