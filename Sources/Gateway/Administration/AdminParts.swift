public import Base
public import GatewayConfiguration
public import TaskStore

/// What calls of the administration API work with.
public struct AdminParts: Sendable {
    let store: any TaskStore
    /// Tells the store from others.
    let storeIdentity: String
    /// The gateway's version.
    let version: String
    /// The accounts of the configuration.
    let upstreams: [Upstream]
    /// Opens the vault for what the call seals or unseals.
    let vault: @Sendable () async throws -> Vault
    let callbacks: any CallbackSender
    /// The `User-Agent` of test events.
    let userAgent: String
    /// What only a gateway that serves knows; nil: this is a command.
    let live: (any AdminLive)?

    /// - Parameters:
    ///   - vault: called at each use; a command checks there that its master key is the store's.
    ///   - live: what only a gateway that serves knows; nil for a command.
    public init(
        store: any TaskStore, storeIdentity: String, version: String, upstreams: [Upstream],
        vault: @escaping @Sendable () async throws -> Vault, callbacks: any CallbackSender, userAgent: String,
        live: (any AdminLive)? = nil
    ) {
        self.store = store
        self.storeIdentity = storeIdentity
        self.version = version
        self.upstreams = upstreams
        self.vault = vault
        self.callbacks = callbacks
        self.userAgent = userAgent
        self.live = live
    }
}

/// What only a gateway that serves can tell and do.
public protocol AdminLive: Sendable {
    /// The accounts as they are now.
    var accounts: [AccountFigures] { get }

    /// How the gateway is doing.
    func overview() async -> AdminOverview

    /// Makes a task as a tenant.
    /// - Parameter body: a create in the shape of Kling's older API, owned by the callee.
    func tryOn(_ body: Bytes, as tenant: String) async throws(GatewayError) -> TaskID

    /// Fetches a picture that Kling has made.
    /// - Parameter tenant: whose memory it counts as.
    func picture(_ url: String, of tenant: String) async throws(GatewayError) -> Bytes

    /// Updates everything in memory after a call has changed a task.
    func follow(_ task: TaskRecord)

    /// Has due callbacks delivered at once.
    func deliverNow()
}
