public import Base
public import Logging

/// The configuration of a gateway: checked as a whole when it is loaded, and never changed after that.
///
/// The values here are the defaults. The key names are in ``Configuration/schema`` and nowhere else.
public struct Configuration: Sendable {
    /// The addresses to listen on for clients.
    public internal(set) var listen: [ListenAddress] = [.tcp(host: "0.0.0.0", port: 8080)]
    /// The certificate of the TCP listeners; `nil`: plain HTTP.
    public internal(set) var tls: TLS?
    /// The operators' listener.
    public internal(set) var admin = Admin()
    /// The URL at which clients and Kling reach the gateway; `nil`: Kling gets no callback address.
    public internal(set) var publicURL: BaseURL?
    /// Where tasks and keys are kept.
    public internal(set) var store = StoreLocation.sqlite(path: "")
    /// What encrypts secrets in the store.
    public internal(set) var masterKey = MasterKeySource.madeAt(path: "")
    /// The number of event loops; `nil`: one per core.
    public internal(set) var workers: Int?
    /// The Kling accounts; their names differ, and there is at least one.
    public internal(set) var upstreams: [Upstream] = []
    /// Client keys that don't live in the store.
    public internal(set) var keys: [ConfiguredKey] = []
    /// Models to accept besides Kling's own two.
    public internal(set) var models: [String] = []
    /// How an account is chosen.
    public internal(set) var dispatch = Dispatch()
    /// The queue of creates that wait for an account; `nil`: off.
    public internal(set) var queue: Queue? = Queue()
    /// The folder for queued payloads.
    public internal(set) var spool = ""
    /// How queries are answered.
    public internal(set) var query = Query()
    /// How creates with unread answers are remembered.
    public internal(set) var resend = Resend()
    /// The OpenAI-shaped routes.
    public internal(set) var openai = OpenAI()
    /// Limits on requests and connections.
    public internal(set) var limits = Limits()
    /// Proxies whose `X-Forwarded-For` is trusted.
    public internal(set) var trustedProxies: [CIDR] = []
    /// Where callbacks may be sent besides the public internet.
    public internal(set) var callbacks = AddressPolicy()
    /// Where pictures may be fetched from besides the public internet.
    public internal(set) var fetch = AddressPolicy()
    /// Pictures that Kling gets as links.
    public internal(set) var pictures = Pictures()
    /// Which web pages may call the gateway.
    public internal(set) var cors = CORS()
    /// How long records are kept.
    public internal(set) var retention = Retention()
    /// The log.
    public internal(set) var log = Log()
    /// How the gateway shuts down.
    public internal(set) var shutdown = Shutdown()

    /// Settings that are allowed but probably not intended.
    public internal(set) var warnings: [ConfigurationProblem] = []

    /// A certificate and its key.
    public struct TLS: Sendable {
        /// The path of the certificate chain, in PEM.
        public internal(set) var certificate = ""
        /// The certificate chain that was read from there.
        public internal(set) var chain = ""
        /// The private key itself, in PEM.
        public internal(set) var privateKey = Secret("")
    }

    /// The operators' listener.
    public struct Admin: Sendable {
        /// Where it listens.
        public internal(set) var listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 9090)]
        /// The bearer token of operators; `nil`: apart from the health routes, only this machine is answered.
        public internal(set) var token: Secret?
    }

    /// How an account is chosen.
    public struct Dispatch: Sendable {
        /// How long a create waits for a free account before it is queued.
        public internal(set) var wait = Duration.seconds(1)
    }

    /// Creates that wait for an account.
    public struct Queue: Sendable {
        /// The maximum number of tasks.
        public internal(set) var tasks = 1000
        /// The maximum number of payload bytes.
        public internal(set) var bytes = 2 << 30
        /// The longest wait; a task that waits longer fails.
        public internal(set) var maxAge = Duration.seconds(30 * 60)
    }

    /// How queries are answered.
    public struct Query: Sendable {
        /// Kling is asked for an unfinished task's state at most once in this time.
        public internal(set) var freshness = Duration.seconds(1)
    }

    /// How creates with unread answers are remembered.
    public struct Resend: Sendable {
        /// How long a create with the same content gets the answer of the earlier one; 0: never.
        public internal(set) var window = Duration.seconds(600)
    }

    /// The OpenAI-shaped routes.
    public struct OpenAI: Sendable {
        /// How long a request waits for its picture.
        public internal(set) var wait = Duration.seconds(300)
    }

    /// Limits on requests and connections.
    public struct Limits: Sendable {
        /// The maximum size of one request body, in bytes.
        public internal(set) var body = 32 << 20
        /// The maximum size of all request bodies held at once, in bytes.
        public internal(set) var bufferedBytes = 256 << 20
        /// The maximum size of one request's head, in bytes.
        public internal(set) var headerBytes = 32 << 10
        /// The maximum number of open connections.
        public internal(set) var connections = 10_000
        /// The maximum number of connections from one address; 0: no separate limit.
        public internal(set) var connectionsPerAddress = 0
    }

    /// Addresses that clients may name besides the public internet.
    public struct AddressPolicy: Sendable {
        /// The allowed ranges.
        public internal(set) var allow: [CIDR] = []
    }

    /// Pictures that Kling gets as links.
    public struct Pictures: Sendable {
        /// How long a picture is kept after its task has ended.
        public internal(set) var linger = Duration.seconds(600)
        /// How long a picture is kept at most.
        public internal(set) var age = Duration.seconds(3600)
        /// The maximum size of all pictures, in bytes.
        public internal(set) var bytes = 1 << 30
    }

    /// Which web pages may call the gateway.
    public struct CORS: Sendable {
        /// Origins such as `https://shop.example.com`, or `*`.
        public internal(set) var origins: [String] = []
    }

    /// How long records are kept.
    public struct Retention: Sendable {
        /// How long finished tasks are kept.
        public internal(set) var tasks = Duration.seconds(400 * 86_400)
        /// How long deliveries are kept after they were made or given up.
        public internal(set) var deliveries = Duration.seconds(30 * 86_400)
    }

    /// The log.
    public struct Log: Sendable {
        /// The lowest level that is written.
        public internal(set) var level = Logger.Level.info
        /// The format of a line.
        public internal(set) var format = LogFormat.json
    }

    /// How the gateway shuts down.
    public struct Shutdown: Sendable {
        /// The time between reporting "not ready" and closing the listeners.
        public internal(set) var delay = Duration.zero
        /// How long running exchanges may take after that.
        public internal(set) var grace = Duration.seconds(30)
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

    /// The file for ids that clients were told while it could not be written to.
    public var told: String { beside("told") }

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
