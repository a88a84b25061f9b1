internal import KlingAPI

/// The whole simulator except its sockets: the platform, the faults in force, and the journal.
///
/// Requests and the time go in, answers and callbacks come out.
public struct SimulatedPlatform: Sendable {
    var kling: SimulatedKling
    private var faults: FaultRules
    private(set) var journal: Journal
    let configuration: SimulatorConfiguration
    private let authorization: SimulatedAuthorization
    /// The APIs that each account has.
    var apis: [SimulatedAPI]
    /// Callbacks that belong to no task, to be sent at once.
    var outbox: [SimulatedCallback] = []

    /// A platform without tasks.
    public init(_ configuration: SimulatorConfiguration) {
        self.configuration = configuration
        let accounts = configuration.accounts
        apis = accounts.map(\.api)
        authorization = SimulatedAuthorization(
            accounts, isRequired: configuration.requireTokens, checksTimes: configuration.checksTokenTimes)
        kling = SimulatedKling(
            SimulatedKling.Rules(
                seed: configuration.seed, duration: configuration.duration, accounts: accounts))
        faults = FaultRules(configuration.faults)
        journal = Journal(accounts: accounts.map(\.name))
    }

    /// Every try-on task that is kept, oldest first within each account.
    public var tasks: [SimulatedTask] { kling.allTasks }

    /// The request counts of each account.
    public var figures: [SimulatedFigures] { journal.figures }

    /// Adds a fault rule. If several rules apply to a request, the earliest decides.
    public mutating func add(_ rule: FaultRule) { faults.add(rule) }

    /// Removes all fault rules.
    public mutating func removeFaults() { faults = FaultRules([]) }

    /// Forgets everything but the configuration.
    public mutating func reset() { self = SimulatedPlatform(configuration) }

    /// When the next callback is due, in milliseconds since 1970.
    public var nextDeadline: Int? { outbox.isEmpty ? kling.nextDeadline : 0 }

    /// Answers a request.
    /// - Parameters:
    ///   - now: in milliseconds since 1970.
    ///   - base: the prefix of picture URLs.
    public mutating func answer(_ request: SimulatedRequest, now: Int, base: String) -> SimulatedAnswer {
        switch request.route {
        case .none(let refusal): return refuse(refusal)
        case .picture(let picture): return show(picture, now)
        case .control(let control): return answer(control, now)
        case .costs, .call: break
        }
        do {
            guard case .call(let call) = request.route else {
                return costs(try authorization.open(request.authorization, now: now).account, now)
            }
            let account = try admit(call, request.authorization, now)
            journal.note(request.headers, on: call.point)
            return answer(call, account: account, now: now, base: base)
        } catch {
            if error.code == .invalidMethod { journal.noteAbsentRoute() } else { journal.noteUnauthorized() }
            return refuse(error)
        }
    }

    /// Returns the account that makes a call. A call to an API that the account doesn't have is refused as an unknown
    /// method.
    func admit(_ call: SimulatedRequest.Call, _ authorization: String?, _ now: Int) throws(SimulatedRefusal) -> Int {
        // An API that no account has is absent for everyone, whatever their credentials.
        guard apis.contains(where: { $0.has(call.dialect) }) else { throw SimulatedRefusal(.invalidMethod) }
        let opened = try self.authorization.open(authorization, now: now)
        guard apis[opened.account].has(call.dialect) else { throw SimulatedRefusal(.invalidMethod) }
        guard opened.isPlain || call.dialect == .kolors else { throw SimulatedRefusal(.authorizationInvalid) }
        return opened.account
    }

    /// Removes and returns the callbacks to send at `now`, in the order of sending. There may be duplicates.
    public mutating func dueCallbacks(now: Int, base: String) -> [SimulatedCallback] {
        defer { outbox = [] }
        var sent: [DueCallback] = []
        for callback in kling.dueCallbacks(now: now) {
            let fault = callback.isPostponed ? nil : drawFault(on: .callback, account: callback.task.account)
            switch fault?.kind {
            case .callback(.lost): continue
            case .callback(.duplicate): sent += [callback, callback]
            case .callback(.late(let delay)) where delay > 0: kling.postpone(callback, by: delay)
            default: sent.append(callback)
            }
        }
        return outbox + sent.compactMap { SimulatedCallback($0, base: base, billing: configuration.billing) }
    }

    /// Records whether a callback was delivered.
    mutating func noteCallback(delivered: Bool) { journal.noteCallback(delivered: delivered) }

    // MARK: Calls

    private mutating func answer(
        _ call: SimulatedRequest.Call, account: Int, now: Int, base: String
    ) -> SimulatedAnswer {
        journal.note(call.point, account: account)
        let requestID = kling.requestID()
        let fault = fault(for: call, account: account)
        if let fault, !fault.isWorkDone {
            note(call, account, fault.isClearRefusal ? .refused : .unclear)
            return SimulatedAnswer(fault, instead: nil, requestID: requestID, TaskShape(call))
        }
        let right = carryOut(call, account, fault?.finding, now, base, requestID)
        note(call, account, fault?.isDone == true ? .unclear : right.status == 200 ? .made : .refused)
        return fault.map { SimulatedAnswer($0, instead: right, requestID: requestID, TaskShape(call)) } ?? right
    }

    private mutating func note(_ call: SimulatedRequest.Call, _ account: Int, _ outcome: ArrivedCreate.Outcome) {
        guard case .create(_, .success(let request)) = call, let externalTaskID = request.externalTaskID else { return }
        let name = configuration.accounts[account].name
        journal.note(ArrivedCreate(account: name, externalTaskID: externalTaskID, outcome: outcome))
    }

    private mutating func carryOut(
        _ call: SimulatedRequest.Call, _ account: Int, _ fault: SearchFault?, _ now: Int, _ base: String,
        _ requestID: String
    ) -> SimulatedAnswer {
        do {
            let data = try data(call, account, fault, now, base)
            if call.point == .create { journal.noteAcceptance(account: account) }
            return SimulatedAnswer(data: data, requestID: requestID)
        } catch {
            return SimulatedAnswer(error, requestID: requestID)
        }
    }

    private mutating func data(
        _ call: SimulatedRequest.Call, _ account: Int, _ fault: SearchFault?, _ now: Int, _ base: String
    ) throws(SimulatedRefusal) -> [UInt8] {
        switch call {
        case .create(.kolors, let request):
            let task = try kling.create(request.get(), by: .kolors, account: account, now: now)
            return task.fields(at: now, base: base).json
        case .create(.solutions, let request): return try create(solution: request.get(), account, now, base)
        case .solutionQuery(let query): return try find(query.get(), account, fault, now, base)
        case .solutionList(let page): return try list(page.get(), account, fault, now, base)
        case .query(let name):
            guard let task = kling.query(name, account: account, now: now, fault) else {
                return try unknownTask(name.text, now)
            }
            return task.fields(at: now, base: base).json
        case .list(let page):
            let tasks = try kling.list(page.get(), account: account, now: now, fault)
            var writer = JSONWriter(capacity: tasks.count * 384 + 16)
            writer.array { list in
                for task in tasks { list.object { task.fields(at: now, base: base).write(to: &$0) } }
            }
            return writer.bytes
        }
    }

    private func unknownTask(_ id: String, _ now: Int) throws(SimulatedRefusal) -> [UInt8] {
        switch configuration.unknownTaskShape {
        case .invalidParameter: throw .parameter("Task not found")
        case .notFound: throw SimulatedRefusal(.notFound, "Task not found")
        case .failedTask:
            return TaskFields(
                taskID: id, status: .failed, statusMessage: "task not found", createdAt: now, updatedAt: now
            ).json
        }
    }

    private mutating func fault(for call: SimulatedRequest.Call, account: Int) -> SimulatedFault? {
        if case .create(_, .success(let request)) = call, kling.consumeRequestedFault(request, account: account) {
            journal.noteFault(on: .create)
            return request.wishes.fault
        }
        return drawFault(on: call.point, account: configuration.accounts[account].name)
    }

    private mutating func drawFault(on point: FaultRule.Point, account: String) -> SimulatedFault? {
        let fault = faults.fault(on: point, account: account) { kling.happens($0) }
        if fault != nil { journal.noteFault(on: point) }
        return fault
    }

    /// The answer for a refusal.
    mutating func refuse(_ refusal: SimulatedRefusal) -> SimulatedAnswer {
        SimulatedAnswer(refusal, requestID: kling.requestID())
    }

    /// A success answer.
    mutating func succeed(_ data: [UInt8]) -> SimulatedAnswer {
        SimulatedAnswer(data: data, requestID: kling.requestID())
    }
}
