public import Base
public import EventLoop
public import HTTPServer
public import KlingAPI
internal import Pictures
public import TaskStore

/// What clients talk to: answers them with Kling's results, in the shape of the API that they use.
///
/// The checks run in a fixed order, and the first that fails answers: syntax (the server's), route, method, key, body
/// size, rate, memory, body, members. On unknown paths of the APIs the key comes first.
public final class ClientService: HTTPService {
    /// The settings of a gateway.
    public struct Options: Sendable {
        /// The maximum size of a request body, in bytes.
        public var bodyLimit = 32 << 20
        /// The models that a create may name.
        public var models = TryOnModels.documented
        /// How old the reported state of an unfinished task may be.
        public var freshness: Duration = .seconds(1)
        /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted.
        public var trustedProxies: [CIDR] = []
        /// How long a create waits for a free account before it is queued.
        public var dispatchWait: Duration = .seconds(1)
        /// The limits of the queue; nil: there is no queue.
        public var queue: QueueBounds?
        /// The URL at which clients and Kling reach the gateway; nil: Kling gets no callback address.
        public var publicURL: String?
        /// How long a create whose answer cannot have been read is remembered; zero: not at all.
        public var resendWindow: Duration = .seconds(600)
        /// The file for ids that clients were told while the store could not be written to; nil: there is none.
        public var unsavedPublicIDsPath: String?
        /// How long OpenAI's clients wait for their pictures.
        public var openAIWait: Duration = .seconds(300)
        /// Whether clients connect to it with TLS.
        public var isSecure = false
        /// How long records are kept.
        public var retention = Retention()
        /// The gateway's version, for the description of its API.
        public var version = "0"
        /// Origins of web pages that may call, such as `https://shop.example.com`, or `*` for any.
        public var origins: [String] = []

        /// Called when another gateway has taken over the tasks of this one, which can do nothing more.
        public var whenReplaced: @Sendable () -> Void = {}

        /// Creates the default settings.
        public init() {}
    }

    /// The parts that a gateway is built from.
    public struct Parts: Sendable {
        let access: Access
        let accounts: Accounts
        public let store: any TaskStore
        let upstream: any KlingUpstream
        let telemetry: Telemetry
        let loop: EventLoop
        let callbackTokens: CallbackTokens
        let budget: ByteBudget
        /// Delivers callbacks to clients; nil: none are delivered.
        public var callbackDelivery: CallbackDelivery?
        /// Keeps the bodies of queued creates, and pictures.
        public var bodies = Bodies()
        /// Fetches the pictures that the gateway processes itself.
        public var pictures: any PictureSource = NoPictures()
        /// The clock for everything that this gateway does.
        public var clock = GuardedClock()
        /// The secrets with which accounts sign their callbacks, by the account's name.
        public var webhookSecrets: [String: [Secret]] = [:]

        /// Creates the parts that a gateway can't do without.
        /// - Parameters:
        ///   - loop: the loop of the background work.
        ///   - budget: the memory budget for bodies.
        public init(
            access: Access, accounts: Accounts, store: any TaskStore, upstream: any KlingUpstream,
            telemetry: Telemetry, loop: EventLoop, callbackTokens: CallbackTokens, budget: ByteBudget
        ) {
            self.access = access
            self.accounts = accounts
            self.store = store
            self.upstream = upstream
            self.telemetry = telemetry
            self.loop = loop
            self.callbackTokens = callbackTokens
            self.budget = budget
        }
    }

    let options: Options
    let uploads: (any Uploads)?
    let admission: Admission
    let crossOrigin: CrossOrigin?
    private let description: APIDescription
    let tasks: TryOnTasks
    let telemetry: Telemetry
    let access: Access
    private let inbound: InboundCallbacks
    private let hosted: HostedPictureHandler
    let kling: KlingHandler
    private let openAI: OpenAIHandler
    private let useapi: UseapiHandler
    /// Processes pictures.
    let pictures: PictureService

    /// Builds the gateway. It does nothing before ``start()``.
    public init(options: Options, _ parts: Parts) {
        self.options = options
        uploads = parts.bodies.uploads
        telemetry = parts.telemetry
        access = parts.access
        crossOrigin = CrossOrigin(origins: options.origins)
        description = APIDescription(
            models: options.models, version: options.version, publicURL: options.publicURL, isSecure: options.isSecure)
        let pictures = PictureService(
            fetcher: PictureFetcher(
                source: parts.pictures, budget: parts.budget, observer: telemetry, accounts: parts.accounts.all),
            workers: PictureWorkers())
        self.pictures = pictures
        let reader = KlingReader()
        tasks = TryOnTasks(
            options: TryOnTasks.Options(
                freshness: options.freshness, dispatchWait: options.dispatchWait, publicURL: options.publicURL,
                resendWindow: options.resendWindow, unsavedPublicIDsPath: options.unsavedPublicIDsPath,
                limits: { [access = parts.access] in access.runningLimits }),
            store: parts.store, caller: KlingCaller(upstream: parts.upstream, observer: telemetry),
            accounts: parts.accounts, queue: Self.queue(options, parts), callbackDelivery: parts.callbackDelivery,
            callbackTokens: parts.callbackTokens,
            pictures: pictures, hosted: parts.bodies.hosted, clock: parts.clock,
            cache: TaskCache(),
            watcher: Watcher(reader: reader, on: parts.loop, seed: .random(in: 0...(.max))), loop: parts.loop)
        reader.serve(tasks)
        admission = Admission(
            parts.access, trustedProxies: options.trustedProxies, bodyLimit: options.bodyLimit, budget: parts.budget,
            store: parts.store, clock: parts.clock, resends: tasks.resends)
        inbound = InboundCallbacks(
            tokens: parts.callbackTokens, secrets: parts.webhookSecrets, receiver: CallbackInbox(tasks: tasks))
        hosted = HostedPictureHandler(pictures: parts.bodies.hosted, budget: parts.budget, observer: parts.telemetry)
        let uploads = parts.bodies.uploads.map {
            AssetHandler(
                assets: $0, pictures: pictures, budget: parts.budget, observer: parts.telemetry,
                base: LinkBase(
                    publicURL: options.publicURL, isSecure: options.isSecure, trustedProxies: options.trustedProxies))
        }
        let intake = PictureIntake(
            assets: uploads, service: pictures, budget: parts.budget,
            reach: LinkPolicy(accounts: parts.accounts.all, publicURL: options.publicURL))
        kling = KlingHandler(tasks: tasks, models: options.models, pictures: intake, bodyLimit: options.bodyLimit)
        openAI = OpenAIHandler(
            models: options.models,
            edits: ImageEdits(
                tasks: tasks, models: options.models, bodyLimit: options.bodyLimit, wait: options.openAIWait,
                intake: intake, pictures: pictures, budget: parts.budget),
            usage: UsageHandler(store: parts.store, clock: parts.clock))
        useapi = UseapiHandler(
            tasks: tasks, assets: uploads, pictures: intake, models: options.models, bodyLimit: options.bodyLimit)
    }

    private static func queue(_ options: Options, _ parts: Parts) -> TaskQueue? {
        guard let bounds = options.queue, let spool = parts.bodies.queued else { return nil }
        return TaskQueue(bounds, spool: spool, budget: parts.budget, loop: parts.loop)
    }

    // MARK: HTTPService

    public func begin(_ head: HTTPRequestHead?) -> any HTTPExchangeHandler {
        ClientExchange(self, ExchangeNote(head))
    }

    // MARK: The checks, in order

    func answer(_ request: HTTPRequest, _ note: ExchangeNote) async throws(GatewayError) -> HTTPResponse {
        if let methods = HTTPResponse.methods(for: request, note) { return methods }
        guard let match = note.match else {
            // The page can read why only if its browser sends the request.
            if let answer = crossOrigin?.preflight(request, "*", requestID: note.requestID) { return answer }
            throw await unknownPath(request, note)
        }
        guard match.rules.methods.allows(request.method) else {
            let answer = crossOrigin?.preflight(request, match.rules.methods.text, requestID: note.requestID)
            if let answer { return answer }
            throw .methodNotAllowed(match.rules.methods)
        }
        guard match.rules.needsKey else { return try await answerWithoutKey(request, match, note) }
        let admitted = try await admission.admit(request, match, note)
        do {
            var response =
                switch match.rules.shape {
                case .kling: try await kling.answer(admitted)
                case .solutions: try await SolutionsHandler(kling: kling).answer(admitted)
                case .openAI: try await openAI.answer(admitted)
                case .useapi: try await useapi.answer(admitted)
                }
            response.headers.append(contentsOf: admitted.rate)
            return response
        } catch {
            var error = error
            error.headers.append(contentsOf: try await admission.rate(of: admitted, refusedWith: error))
            throw error
        }
    }

    /// Why a request for a path at which nothing is served is refused: its key, if the path is among those of an API,
    /// and else the path. A preflight request has no key.
    private func unknownPath(_ request: HTTPRequest, _ note: ExchangeNote) async -> GatewayError {
        let path = request.head.withPath { UnknownPath($0) }
        do throws(GatewayError) {
            if path.needsKey, request.method != .options { try await admission.authenticate(request, note) }
            return path.error
        } catch {
            return error
        }
    }

    /// Answers routes that need no key. For Kling's callbacks, the token in the path is one.
    private func answerWithoutKey(
        _ request: HTTPRequest, _ match: RouteMatch, _ note: ExchangeNote
    ) async throws(GatewayError) -> HTTPResponse {
        switch match.route {
        case .callback: try await inbound.answer(request, token: match.identifier, requestID: note.requestID)
        case .callbackTest: try await inbound.answer(request, token: nil, requestID: note.requestID)
        case .hostedPicture:
            try await hosted.answer(request, name: match.identifier, requestID: note.requestID)
        case .root: description.welcome(for: request, requestID: note.requestID)
        case .openAPI: description.document(requestID: note.requestID)
        case .docs: description.page(for: request, requestID: note.requestID)
        default: throw .unknownPath
        }
    }
}
