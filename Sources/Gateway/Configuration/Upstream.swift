public import Base

/// A Kling account, or a reseller's.
public struct Upstream: Sendable {
    /// Kling's own address for most of the world.
    static let singapore = BaseURL(host: "api-singapore.klingai.com")

    /// What the log, the metrics and the store know it by.
    public internal(set) var name = ""
    /// What requests' paths are added to.
    public internal(set) var url: BaseURL
    /// What proves Kling's callbacks, two while one takes the other's place; none: they are hints.
    public internal(set) var webhookSecrets: [Secret] = []
    /// Creates that may run at once; `nil`: learned.
    public internal(set) var concurrency: Int?
    /// Its share of the work beside others'.
    public internal(set) var weight = 1
    /// The models it may be used for; none: all.
    public internal(set) var models: [String] = []
    /// How long it has to answer.
    public internal(set) var timeout = Duration.seconds(30)
    /// A PEM file of authorities to be trusted instead of the system's.
    public internal(set) var caFile: String?
    /// The URL of the proxy to go through, which may hold a password.
    public internal(set) var proxy: Secret?
    /// How it wants pictures that clients name by URL.
    public internal(set) var pictures = Pictures.asTheyAre
    /// Which of Kling's APIs it speaks.
    public internal(set) var api = API.auto
    /// Whether it can be asked for a task by our own id.
    public internal(set) var lookup = Trait.auto
    /// Whether it refuses a second create of one `external_task_id`.
    public internal(set) var unique = Trait.auto

    var accessKey: Secret?
    var secretKey: Secret?
    var apiKey: Secret?

    init(url: BaseURL) { self.url = url }

    /// Whether it is spoken to by the API that takes pictures by their URLs alone, as far as is known before it is asked.
    var takesLinksAlone: Bool {
        switch api {
        case .auto: apiKey != nil && url.isKlings
        case .kolors: false
        case .solutions: true
        }
    }

    /// How it knows us.
    public var credentials: Credentials {
        if let apiKey { return .apiKey(apiKey) }
        return .keyPair(accessKey: accessKey ?? Secret(""), secretKey: secretKey ?? Secret(""))
    }

    /// How an account knows us.
    public enum Credentials: Sendable {
        /// Tokens are signed with the secret key.
        case keyPair(accessKey: Secret, secretKey: Secret)
        /// Sent as it is.
        case apiKey(Secret)
    }

    /// How an account wants pictures that clients name by URL.
    public enum Pictures: String, Sendable, CaseIterable {
        /// The URL is passed on.
        case asTheyAre = "as-they-are"
        /// The gateway fetches each picture, brings it within the limits and sends it as base64.
        case normalize
    }

    /// Which of Kling's try-on APIs an account speaks.
    public enum API: String, Sendable, CaseIterable {
        /// As is presumed of its host, or found out.
        case auto
        /// `kolors-virtual-try-on`, which resellers speak.
        case kolors
        /// `solutions/virtual_try_on`, which Kling sells today.
        case solutions
    }

    /// What an account does or doesn't do with our own ids.
    public enum Trait: String, Sendable, CaseIterable {
        /// As is known of such accounts, or found out.
        case auto
        /// It does.
        case yes
        /// It doesn't.
        case no
    }
}

/// A client's key that stands in the configuration.
public struct ConfiguredKey: Sendable {
    /// The bearer key.
    public internal(set) var key = Secret("")
    /// Whose tasks it makes and sees.
    public internal(set) var tenant = ""
    /// The most requests in a minute; `nil`: no limit.
    public internal(set) var requestsPerMinute: Int?
    /// The most unfinished tasks; `nil`: no limit.
    public internal(set) var concurrency: Int?
    /// The models that it may be used for; none: all.
    public internal(set) var models: [String] = []
    /// Where it may be used from; none: anywhere.
    public internal(set) var addresses: [CIDR] = []
}
