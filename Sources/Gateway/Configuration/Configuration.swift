public import Base
public import Logging

/// What an operator decides about a gateway: checked as a whole when it is loaded, and never changed after that.
///
/// The values given here are the defaults. Key names stand in ``Configuration/schema``, and only there.
public struct Configuration: Sendable {
    /// Where clients are served.
    public internal(set) var listen: [ListenAddress] = [.tcp(host: "0.0.0.0", port: 8080)]
    /// The TCP listeners' certificate; none: plain HTTP.
    public internal(set) var tls: TLS?
    /// The operators' listener.
    public internal(set) var admin = Admin()
    /// The URL that clients and Kling reach the gateway by; none: Kling isn't given a callback address.
    public internal(set) var publicURL: BaseURL?
    /// Where tasks and keys are kept.
    public internal(set) var store = StoreLocation.sqlite(path: "")
    /// What encrypts secrets in the store.
    public internal(set) var masterKey = MasterKeySource.madeAt(path: "")
    /// Event loops; `nil`: one for each core.
    public internal(set) var workers: Int?
    /// The Kling accounts; their names differ, and there is at least one.
    public internal(set) var upstreams: [Upstream] = []
    /// Client keys that don't live in the store.
    public internal(set) var keys: [ConfiguredKey] = []
    /// Models to be known besides Kling's own two.
    public internal(set) var models: [String] = []
    /// Choosing an account.
    public internal(set) var dispatch = Dispatch()
    /// Creates that wait for an account; `nil`: off.
    public internal(set) var queue: Queue? = Queue()
    /// The folder for queued payloads.
    public internal(set) var spool = ""
    /// Answering queries.
    public internal(set) var query = Query()
    /// Creates whose answers were not read.
    public internal(set) var resend = Resend()
    /// The OpenAI-shaped routes.
    public internal(set) var openai = OpenAI()
    /// What one gateway takes on.
    public internal(set) var limits = Limits()
    /// Proxies whose `X-Forwarded-For` is believed.
    public internal(set) var trustedProxies: [CIDR] = []
    /// Where callbacks may be sent besides the public internet.
    public internal(set) var callbacks = AddressPolicy()
    /// Where pictures may be fetched from besides the public internet.
    public internal(set) var fetch = AddressPolicy()
    /// Pictures that Kling is given links of.
    public internal(set) var pictures = Pictures()
    /// Which web pages may call.
    public internal(set) var cors = CORS()
    /// How long records are kept.
    public internal(set) var retention = Retention()
    /// The log.
    public internal(set) var log = Log()
    /// Stopping.
    public internal(set) var shutdown = Shutdown()

    /// What is allowed but probably not meant.
    public internal(set) var warnings: [ConfigurationProblem] = []

    /// A certificate and its key.
    public struct TLS: Sendable {
        /// The path of the certificate chain, PEM.
        public internal(set) var certificate = ""
        /// What was read there.
        public internal(set) var chain = ""
        /// The private key itself, PEM.
        public internal(set) var privateKey = Secret("")
    }

    /// The operators' listener.
    public struct Admin: Sendable {
        /// Where it listens.
        public internal(set) var listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 9090)]
        /// What operators show; none: beside the health routes only this machine is answered.
        public internal(set) var token: Secret?
    }

    /// Choosing an account.
    public struct Dispatch: Sendable {
        /// How long a create waits for a free account before it is queued.
        public internal(set) var wait = Duration.seconds(1)
    }

    /// Creates that wait for an account.
    public struct Queue: Sendable {
        /// The most tasks.
        public internal(set) var tasks = 1000
        /// The most bytes of payload.
        public internal(set) var bytes = 2 << 30
        /// The longest wait; a task that passes it fails.
        public internal(set) var maxAge = Duration.seconds(30 * 60)
    }

    /// Answering queries.
    public struct Query: Sendable {
        /// An unfinished task's state is asked of Kling at most once in this time.
        public internal(set) var freshness = Duration.seconds(1)
    }

    /// Creates whose answers were not read.
    public struct Resend: Sendable {
        /// How long the same content attaches to one; 0: never.
        public internal(set) var window = Duration.seconds(600)
    }

    /// The OpenAI-shaped routes.
    public struct OpenAI: Sendable {
        /// How long a request waits for its picture.
        public internal(set) var wait = Duration.seconds(300)
    }

    /// What one gateway takes on.
    public struct Limits: Sendable {
        /// Bytes of one request body.
        public internal(set) var body = 32 << 20
        /// Bytes of all request bodies that are held at once.
        public internal(set) var bufferedBytes = 256 << 20
        /// Bytes of one request's head.
        public internal(set) var headerBytes = 32 << 10
        /// Connections.
        public internal(set) var connections = 10_000
        /// Connections from one address; 0: no limit of its own.
        public internal(set) var connectionsPerAddress = 0
    }

    /// Addresses that clients may name besides the public internet.
    public struct AddressPolicy: Sendable {
        /// The ranges.
        public internal(set) var allow: [CIDR] = []
    }

    /// Pictures that Kling is given links of.
    public struct Pictures: Sendable {
        /// How long one is kept after its task has ended.
        public internal(set) var linger = Duration.seconds(600)
        /// How long one is kept at most.
        public internal(set) var age = Duration.seconds(3600)
        /// Bytes of all of them.
        public internal(set) var bytes = 1 << 30
    }

    /// Which web pages may call.
    public struct CORS: Sendable {
        /// Origins such as `https://shop.example.com`, or `*`.
        public internal(set) var origins: [String] = []
    }

    /// How long records are kept.
    public struct Retention: Sendable {
        /// Finished tasks.
        public internal(set) var tasks = Duration.seconds(400 * 86_400)
        /// Deliveries that were made or given up.
        public internal(set) var deliveries = Duration.seconds(30 * 86_400)
    }

    /// The log.
    public struct Log: Sendable {
        /// The least level that is written.
        public internal(set) var level = Logger.Level.info
        /// The form of a line.
        public internal(set) var format = LogFormat.json
    }

    /// Stopping.
    public struct Shutdown: Sendable {
        /// From "not ready" to closed listeners.
        public internal(set) var delay = Duration.zero
        /// How long running exchanges may take after that.
        public internal(set) var grace = Duration.seconds(30)
    }
}

/// Where tasks and keys are kept.
public enum StoreLocation: Sendable, Hashable {
    /// An SQLite file.
    case sqlite(path: String)

    /// The folder that it lies in: the spool and the master key lie beside it.
    public var directory: String {
        switch self {
        case .sqlite(let path): FilePath.parent(of: path)
        }
    }

    /// The spool's folder, unless another is named. Each gateway removes from its spool what its store doesn't know.
    var spool: String { beside("spool") }

    /// The folder of uploaded pictures.
    public var assets: String { beside("assets") }

    /// The folder of pictures that Kling is given links of.
    public var pictures: String { beside("pictures") }

    /// The file for ids that clients were told while it could not be written to.
    public var told: String { beside("told") }

    /// A file or folder beside `gateway.db`. A store of another name has one of its own.
    private func beside(_ name: String) -> String {
        switch self {
        case .sqlite(let path): path == "\(directory)/gateway.db" ? "\(directory)/\(name)" : "\(path).\(name)"
        }
    }
}

/// What encrypts secrets in the store.
public enum MasterKeySource: Sendable {
    /// The operator's own.
    case value(Secret)
    /// One that the gateway makes on its first start, mode 0600.
    case madeAt(path: String)
}
