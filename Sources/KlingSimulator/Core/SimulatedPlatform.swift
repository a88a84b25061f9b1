internal import KlingAPI

/// The whole simulator except its sockets: the platform, the faults in force, and the journal.
///
/// Requests and the time go in, answers and callbacks come out.
public struct SimulatedPlatform: Sendable {
    var kling: SimulatedKling
    private var faults: FaultRules
    private(set) var journal: Journal
    let configuration: SimulatorConfiguration
    var access: SimulatedAccess
    /// Callbacks that belong to no task, to be sent at once.
    var outbox: [SimulatedCallback] = []

    /// A platform without tasks.
    public init(_ configuration: SimulatorConfiguration) {
        self.configuration = configuration
        let accounts = configuration.accounts
        access = SimulatedAccess(configuration)
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
                return costs(try access.account(request.authorization, now: now), now)
            }
            let account = try access.admit(call, request.authorization, now: now)
            journal.note(request.headers, on: call.point)
            return answer(call, account: account, now: now, base: base)
        } catch {
            if error.code == .invalidMethod { journal.noteAbsentRoute() } else { journal.noteUnauthorized() }
            return refuse(error)
        }
    }

    /// The URLs of the pictures to fetch before a request is answered: those of a create that would otherwise be
    /// accepted.
    /// - Parameter now: in milliseconds since 1970.
    func picturesToFetch(for request: SimulatedRequest, now: Int) -> [String] {
        guard configuration.fetchesPictures, case .call(let call) = request.route,
            case .create(_, .success(let create)) = call, !create.contentURLs.isEmpty,
            (try? access.admit(call, request.authorization, now: now)) != nil
        else { return [] }
        return create.contentURLs
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
        let handler = CallHandler(
            account: account, now: now, base: base, fault: fault?.finding, billing: configuration.billing,
            unknownTaskShape: configuration.unknownTaskShape)
        let right = carryOut(call, handler, requestID)
        note(call, account, fault?.isDone == true ? .unclear : right.status == 200 ? .made : .refused)
        return fault.map { SimulatedAnswer($0, instead: right, requestID: requestID, TaskShape(call)) } ?? right
    }

    private mutating func note(_ call: SimulatedRequest.Call, _ account: Int, _ outcome: ArrivedCreate.Outcome) {
        guard case .create(_, .success(let request)) = call, let externalTaskID = request.externalTaskID else { return }
        let name = configuration.accounts[account].name
        journal.note(ArrivedCreate(account: name, externalTaskID: externalTaskID, outcome: outcome))
    }

    private mutating func carryOut(
        _ call: SimulatedRequest.Call, _ handler: CallHandler, _ requestID: String
    ) -> SimulatedAnswer {
        do {
            let data = try handler.data(call, &kling)
            if call.point == .create { journal.noteAcceptance(account: handler.account) }
            return SimulatedAnswer(data: data, requestID: requestID)
        } catch {
            return SimulatedAnswer(error, requestID: requestID)
        }
    }

    private mutating func fault(for call: SimulatedRequest.Call, account: Int) -> SimulatedFault? {
        if case .create(_, .success(let request)) = call, kling.consumeRequestedFault(request, account: account) {
            journal.noteFault(on: .create)
            return request.instructions.fault
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
