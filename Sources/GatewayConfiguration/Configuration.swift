public import Base
public import Logging

/// The configuration of a gateway: checked as a whole when it is loaded, and never changed after that.
///
/// The values here and in its parts are the defaults. The key names are in ``Configuration/schema`` and nowhere else.
public struct Configuration: Sendable {
    /// The clients' listener.
    public internal(set) var server = Server()
    /// The operators' listener.
    public internal(set) var admin = Admin()
    /// What is kept on disk.
    public internal(set) var storage = Storage()
    /// The Kling accounts; their names differ, and there is at least one.
    public internal(set) var upstreams: [Upstream] = []
    /// Client keys that don't live in the store.
    public internal(set) var keys: [ConfiguredKey] = []
    /// Models to accept besides Kling's own, and other names for models.
    public internal(set) var models: [ConfiguredModel] = []
    /// How tasks are made and queried.
    public internal(set) var tasks = Tasks()
    /// Where the gateway may connect besides the public internet.
    public internal(set) var allowed = AllowedAddresses()
    /// Pictures that Kling gets as links.
    public internal(set) var pictures = Pictures()
    /// Where operators are told what is wrong.
    public internal(set) var alerts = Alerts()
    /// The log.
    public internal(set) var log = Log()

    /// Settings that are allowed but probably not intended.
    public internal(set) var warnings: [ConfigurationProblem] = []
}

extension Configuration {
    /// The operators' listener.
    public struct Admin: Sendable {
        /// Where it listens.
        public internal(set) var listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 9090)]
        /// The bearer token of operators; `nil`: apart from the health routes, only this machine is answered.
        public internal(set) var token: Secret?
    }

    /// Ranges of private addresses that clients may name in a request.
    public struct AllowedAddresses: Sendable {
        /// Where callbacks may be sent.
        public internal(set) var callbacks: [CIDR] = []
        /// Where pictures may be fetched from.
        public internal(set) var fetch: [CIDR] = []
    }

    /// Pictures that Kling gets as links.
    public struct Pictures: Sendable {
        /// How long a picture is kept after its task has ended.
        public internal(set) var linger = Duration.seconds(600)
        /// How long a picture is kept at most.
        public internal(set) var age = Duration.seconds(3600)
        /// The maximum size of all pictures together, in bytes.
        public internal(set) var bytes = 1 << 30
    }

    /// Where operators are told what is wrong. Both are set, or neither.
    public struct Alerts: Sendable {
        /// The URL that alerts are sent to. It may contain a token.
        public internal(set) var url: Secret?
        /// The secret that signs them.
        public internal(set) var secret: Secret?
    }

    /// The log.
    public struct Log: Sendable {
        /// The lowest level that is written.
        public internal(set) var level = Logger.Level.info
        /// The format of a line; `nil`: text on a terminal, and JSON elsewhere.
        public internal(set) var format: LogFormat?
    }
}
