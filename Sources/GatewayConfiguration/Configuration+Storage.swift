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

/// What encrypts secrets in the store.
public enum MasterKeySource: Sendable {
    /// A key that the operator has set.
    case value(Secret)
    /// A file that the gateway creates at its first start, mode 0600.
    case madeAt(path: String)
}
