internal import Base
internal import EventLoop
internal import Foundation
internal import Gateway
internal import GatewayConfiguration
internal import HTTPServer
internal import KlingAPI
internal import TaskStore

/// Translates the configuration into the options of the gateway's parts.
extension Configuration {
    /// The gateway's options.
    /// - Parameter log: is closed before the process starts anew.
    func gatewayOptions(_ log: LogOutput? = nil) -> ClientService.Options {
        var options = ClientService.Options()
        options.whenReplaced = {
            log?.close()
            ProcessLimits.startAnew()
        }
        options.bodyLimit = server.limits.body
        options.models = tryOnModels
        options.freshness = tasks.freshness
        options.trustedProxies = server.trustedProxies
        options.dispatchWait = tasks.dispatchWait
        options.queue = tasks.queue.map {
            QueueBounds(tasks: $0.tasks, bytes: $0.bytes, maxAge: $0.maxAge.nanoseconds / 1_000_000)
        }
        options.publicURL = server.publicURL?.text
        options.openAIWait = tasks.openAIWait
        options.resendWindow = tasks.resendWindow
        options.unsavedPublicIDsPath = storage.store.unsavedPublicIDs
        options.isSecure = server.tls != nil
        options.origins = server.origins
        options.version = Version.number
        options.retention.tasks = storage.retention.tasks.nanoseconds / 1_000_000
        options.retention.deliveries = storage.retention.deliveries.nanoseconds / 1_000_000
        return options
    }

    /// The configuration of the clients' listener.
    func serverConfiguration(_ descriptors: DescriptorPlan) throws -> HTTPServerConfiguration {
        var configuration = HTTPServerConfiguration(addresses: try server.listen.map { try $0.socketAddress })
        configuration.tls = try server.tls.map {
            try TLSContext(certificateChain: $0.chain, privateKey: $0.privateKey)
        }
        configuration.connections = descriptors.connections
        configuration.connectionsPerAddress = server.limits.connectionsPerAddress
        configuration.headBytes = server.limits.headerBytes
        return configuration
    }

    /// The hosts that operators may name in `Host`, besides loopback addresses.
    var adminHosts: Set<String> {
        Set(
            admin.listen.compactMap { address in
                if case .tcp(let host, _) = address { host.lowercased() } else { nil }
            })
    }

    /// The configuration of the operators' listener: few connections, small requests.
    func adminConfiguration(_ descriptors: DescriptorPlan) throws -> HTTPServerConfiguration {
        var configuration = HTTPServerConfiguration(addresses: try admin.listen.map { try $0.socketAddress })
        configuration.connections = descriptors.adminConnections
        return configuration
    }
}

extension Configuration {
    /// Adds the optional parts of a gateway.
    func complete(_ parts: inout ClientService.Parts) throws {
        let clock = parts.clock
        if let blobs = parts.store.blobs {
            parts.bodies = Bodies(in: blobs, queue: gatewayOptions().queue, bounds: pictures.bounds, clock: clock)
        } else {
            parts.bodies = try Bodies(
                spool: tasks.queue == nil ? nil : storage.spool, assets: storage.store.assets,
                pictures: storage.store.pictures, bounds: pictures.bounds, clock: clock)
        }
        let secrets = upstreams.filter { !$0.webhookSecrets.isEmpty }.map { ($0.name, $0.webhookSecrets) }
        parts.webhookSecrets = Dictionary(secrets) { first, _ in first }
    }

    /// Opens the store, whose steps write the callbacks to clients.
    /// - Parameters:
    ///   - isServing: whether to serve from it; false for a command.
    ///   - lock: the right to serve, from ``lockStore()``.
    func openStore(isServing: Bool = false, lock: ServeLock? = nil) throws -> any TaskStore {
        switch storage.store {
        case .sqlite(let path):
            try SQLiteTaskStore.open(
                path: path, serving: lock, deliveries: CallbackBody.delivery, jobDeliveries: UseapiCallback.delivery)
        case .postgres(let url, _):
            try PostgresTaskStore.open(
                url: url.reveal(), servingAs: isServing ? ProcessInfo.processInfo.hostName : nil,
                deliveries: CallbackBody.delivery, jobDeliveries: UseapiCallback.delivery)
        }
    }

    /// Takes the right to serve from the store, if it belongs to one process at a time.
    func lockStore() throws -> ServeLock? {
        switch storage.store {
        case .sqlite(let path): try ServeLock(store: path)
        case .postgres: nil
        }
    }

    /// The vault of a gateway that serves from the store. All that serve from one database need the same master key.
    func servingVault(_ store: any TaskStore) async throws -> Vault {
        switch storage.store {
        case .sqlite: try Vault(self)
        case .postgres: try await Vault(self, sharedWith: store)
        }
    }

    /// What tells the store from others; nil if there is no store yet.
    var storeIdentity: String? {
        switch storage.store {
        case .sqlite(let path): SQLiteTaskStore.identity(ofStoreAt: path)
        case .postgres(let url, _): PostgresTaskStore.identity(ofStoreAt: url.reveal())
        }
    }
}

extension Configuration.Pictures {
    fileprivate var bounds: HostedPictureBounds {
        var bounds = HostedPictureBounds()
        (bounds.linger, bounds.age) = (linger.nanoseconds / 1_000_000, age.nanoseconds / 1_000_000)
        bounds.bytes = bytes
        return bounds
    }
}

extension Vault {
    /// Makes the vault that opens what the configuration's master key has sealed.
    init(_ configuration: Configuration) throws {
        switch configuration.storage.masterKey {
        case .value(let key): self.init(try MasterKey(key))
        case .madeAt(let path): self.init(try MasterKey(readingOrCreating: path))
        }
    }

    /// Makes the vault of a command that works beside a gateway.
    /// - Throws: ``ServiceError`` if the gateway that serves from the store has another master key: it could not read
    ///   what the command seals.
    init(_ configuration: Configuration, sharedWith store: any TaskStore) async throws {
        let mark = try await store.keys.masterKeyMark()
        // A master key is not made where another is in use.
        if mark != nil, case .madeAt(let path) = configuration.storage.masterKey {
            guard FileManager.default.fileExists(atPath: path) else { throw Self.otherMasterKey }
        }
        try self.init(configuration)
        if let mark, mark != self.mark { throw Self.otherMasterKey }
        if mark == nil { try await store.keys.keepMasterKeyMark(self.mark) }
    }

    private static var otherMasterKey: ServiceError {
        ServiceError(
            "this store is in use with another master key, with which its gateway could not read what this process writes: "
                + "set KLING_GATEWAY_MASTER_KEY or `master_key` as for the gateway that serves. Nothing was changed")
    }
}

extension ConfiguredKey {
    /// The key in the form that `Access` takes.
    var staticKey: StaticKey {
        StaticKey(
            key: key, tenant: tenant,
            limits: Principal.Limits(requestsPerMinute: requestsPerMinute, concurrency: concurrency),
            scope: Principal.Scope(models: models, addresses: addresses))
    }
}

extension ListenAddress {
    fileprivate var socketAddress: SocketAddress {
        get throws {
            guard let address = SocketAddress(description) else { throw ServiceError("cannot listen on \(self)") }
            return address
        }
    }
}

extension Upstream {
    /// The account to send work to.
    var account: Account {
        let credential: Account.Credential =
            switch credentials {
            case .keyPair(let accessKey, let secretKey):
                .tokens(TokenSigner(accessKey: accessKey.reveal(), secretKey: secretKey))
            case .apiKey(let key): .apiKey(key)
            }
        return Account(
            name: name, baseURL: url.text, credential: credential, models: Set(models), weight: weight,
            concurrency: concurrency, hasLookup: lookup.isKnown, hasUniqueIDs: unique.isKnown, dialect: api.isKnown,
            timeout: timeout, caFile: caFile, proxy: proxy?.reveal(), normalizesPictures: pictures == .normalize)
    }
}

extension Upstream.API {
    /// The configured API; `nil`: to be detected.
    fileprivate var isKnown: KlingDialect? {
        switch self {
        case .auto: nil
        case .kolors: .kolors
        case .solutions: .solutions
        }
    }
}

extension Upstream.Trait {
    /// Whether the account has the trait; `nil`: as already learned, or to be detected.
    fileprivate var isKnown: Bool? {
        switch self {
        case .auto: nil
        case .yes: true
        case .no: false
        }
    }
}
