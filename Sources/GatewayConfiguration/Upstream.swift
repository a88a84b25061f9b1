public import Base
internal import KlingAPI

/// An account at Kling or at a reseller.
public struct Upstream: Sendable {
    /// Kling's own address for most of the world.
    static let singapore = BaseURL(host: "api-singapore.klingai.com")

    /// Its name in the log, the metrics and the store.
    public internal(set) var name = ""
    /// The base URL of its API.
    public internal(set) var url: BaseURL
    /// The secrets that Kling signs its callbacks with; two during a rotation. Empty: callbacks are only hints.
    public internal(set) var webhookSecrets: [Secret] = []
    /// How many creates may run at once; `nil`: learned.
    public internal(set) var concurrency: Int?
    /// Its share of the work relative to other accounts.
    public internal(set) var weight = 1
    /// The models it may be used for; empty: all.
    public internal(set) var models: [String] = []
    /// How long it has to answer.
    public internal(set) var timeout = Duration.seconds(30)
    /// A PEM file of certificate authorities to trust instead of the system's.
    public internal(set) var caFile: String?
    /// The URL of the proxy to go through, which may hold a password.
    public internal(set) var proxy: Secret?
    /// How it gets pictures that clients name by URL.
    public internal(set) var pictures = Pictures.asTheyAre
    /// Which of Kling's APIs it speaks.
    public internal(set) var api = API.auto
    /// Whether it finds tasks by the gateway's own id.
    public internal(set) var lookup = Trait.auto
    /// Whether it refuses a second create with the same `external_task_id`.
    public internal(set) var unique = Trait.auto

    /// The credentials as they are written; checked to be of one kind.
    var given = GivenCredentials()

    init(url: BaseURL) { self.url = url }

    /// Whether its API takes pictures only by URL, judged by the configuration alone.
    var acceptsOnlyURLs: Bool {
        switch api {
        case .auto: given.apiKey != nil && url.isKlingHost
        case .kolors: false
        case .solutions: true
        }
    }

    /// How the gateway authenticates to it.
    public var credentials: Credentials {
        if let apiKey = given.apiKey { return .apiKey(apiKey) }
        return .keyPair(accessKey: given.accessKey ?? Secret(""), secretKey: given.secretKey ?? Secret(""))
    }

    /// How the gateway authenticates to an account.
    public enum Credentials: Sendable {
        /// Tokens are signed with the secret key.
        case keyPair(accessKey: Secret, secretKey: Secret)
        /// The key is sent as it is.
        case apiKey(Secret)
    }

    struct GivenCredentials: Sendable {
        var accessKey: Secret?
        var secretKey: Secret?
        var apiKey: Secret?
    }

    /// How an account gets pictures that clients name by URL.
    public enum Pictures: String, Sendable, CaseIterable {
        /// The URL is passed on.
        case asTheyAre = "as-they-are"
        /// The gateway fetches each picture, brings it within the limits and sends it as base64.
        case normalize
    }

    /// Which of Kling's try-on APIs an account speaks.
    public enum API: String, Sendable, CaseIterable {
        /// Assumed from its host and credentials, and corrected by its answers.
        case auto
        /// `kolors-virtual-try-on`, which resellers speak.
        case kolors
        /// `solutions/virtual_try_on`, which Kling sells today.
        case solutions
    }

    /// Whether an account supports something that involves the gateway's own ids.
    public enum Trait: String, Sendable, CaseIterable {
        /// Assumed for accounts of its kind, or detected.
        case auto
        /// It does.
        case yes
        /// It doesn't.
        case no
    }
}

/// A client's key from the configuration.
public struct ConfiguredKey: Sendable {
    /// The bearer key.
    public internal(set) var key = Secret("")
    /// The tenant whose tasks it creates and sees.
    public internal(set) var tenant = ""
    /// The maximum number of requests per minute; `nil`: no limit.
    public internal(set) var requestsPerMinute: Int?
    /// The maximum number of unfinished tasks; `nil`: no limit.
    public internal(set) var concurrency: Int?
    /// The models that it may be used for; empty: all.
    public internal(set) var models: [String] = []
    /// The addresses that it may be used from; empty: any.
    public internal(set) var addresses: [CIDR] = []
}
