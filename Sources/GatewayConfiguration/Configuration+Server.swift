public import Base

extension Configuration {
    /// The clients' listener.
    public struct Server: Sendable {
        /// The addresses to listen on.
        public internal(set) var listen: [ListenAddress] = [.tcp(host: "0.0.0.0", port: 8080)]
        /// The certificate of the TCP listeners; `nil`: plain HTTP.
        public internal(set) var tls: TLS?
        /// The URL at which clients and Kling reach the gateway; `nil`: Kling gets no callback address.
        public internal(set) var publicURL: BaseURL?
        /// The number of event loops; `nil`: one per core.
        public internal(set) var workers: Int?
        /// Limits on requests and connections.
        public internal(set) var limits = Limits()
        /// Proxies whose `X-Forwarded-For` is trusted.
        public internal(set) var trustedProxies: [CIDR] = []
        /// Origins of web pages that may call it, such as `https://shop.example.com`, or `*`.
        public internal(set) var origins: [String] = []
        /// How it shuts down.
        public internal(set) var shutdown = Shutdown()
    }

    /// A certificate and its key.
    public struct TLS: Sendable {
        /// The path of the certificate chain, in PEM.
        public internal(set) var certificate = ""
        /// The certificate chain that was read from there.
        public internal(set) var chain = ""
        /// The private key itself, in PEM.
        public internal(set) var privateKey = Secret("")
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

    /// How the gateway shuts down.
    public struct Shutdown: Sendable {
        /// The time between reporting "not ready" and closing the listeners.
        public internal(set) var delay = Duration.zero
        /// How long exchanges in progress may take after that.
        public internal(set) var grace = Duration.seconds(30)
    }
}
