internal import KlingAPI

/// The whole of the simulator but its sockets: the platform, the faults in force, and the journal.
///
/// Requests and the time go in, answers and callbacks come out.
public struct SimulatedPlatform: Sendable {
    private(set) var kling: SimulatedKling
    private var faults: FaultRules
    private(set) var journal: Journal
    let configuration: SimulatorConfiguration
    private let authorization: SimulatedAuthorization

    /// A platform without tasks.
    public init(_ configuration: SimulatorConfiguration) {
        self.configuration = configuration
        let accounts = configuration.accounts
        authorization = SimulatedAuthorization(
            accounts, isRequired: configuration.requireTokens, checksTimes: configuration.checksTokenTimes)
        kling = SimulatedKling(
            SimulatedKling.Rules(
                seed: configuration.seed, duration: configuration.duration, accounts: accounts))
        faults = FaultRules(configuration.faults)
        journal = Journal(accounts: accounts.map(\.name))
    }

    /// Every task that is kept, oldest first within each account.
    public var tasks: [SimulatedTask] { kling.allTasks }

    /// How often each account was asked for what.
    public var figures: [SimulatedFigures] { journal.figures }

    /// Lets something go wrong from now on. Of several rules that apply the earliest decides.
    public mutating func add(_ rule: FaultRule) { faults.add(rule) }

    /// Lets nothing go wrong any more.
    public mutating func removeFaults() { faults = FaultRules([]) }

    /// Forgets everything but the configuration.
    public mutating func reset() { self = SimulatedPlatform(configuration) }

    /// When the next callback is due, in milliseconds since 1970.
    public var nextDeadline: Int? { kling.nextDeadline }

    /// Answers a request.
    /// - Parameters:
    ///   - now: in milliseconds since 1970.
    ///   - base: what a picture's URL begins with.
    public mutating func answer(_ request: SimulatedRequest, now: Int, base: String) -> SimulatedAnswer {
        switch request.route {
        case .none(let refusal): return refuse(refusal)
        case .picture(let picture): return show(picture, now)
        case .control(let control): return answer(control, now)
        case .costs, .call: break
        }
        do {
            let account = try authorization.account(request.authorization, now: now)
            guard case .call(let call) = request.route else { return costs(account, now) }
            journal.note(request.headers, on: call.point)
            return answer(call, account: account, now: now, base: base)
        } catch {
            journal.noteUnauthorized()
            return refuse(error)
        }
    }

    /// Takes out the callbacks to send at `now`, in the order in which they are to arrive. Some may be there twice.
    public mutating func dueCallbacks(now: Int, base: String) -> [SimulatedCallback] {
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
        return sent.compactMap { SimulatedCallback($0, base: base) }
    }

    /// Notes how a callback was taken.
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
            return SimulatedAnswer(fault, instead: nil, requestID: requestID)
        }
        let right = carryOut(call, account, fault?.finding, now, base, requestID)
        note(call, account, fault?.isDone == true ? .unclear : right.status == 200 ? .made : .refused)
        return fault.map { SimulatedAnswer($0, instead: right, requestID: requestID) } ?? right
    }

    private mutating func note(_ call: SimulatedRequest.Call, _ account: Int, _ outcome: ArrivedCreate.Outcome) {
        guard case .create(.success(let request)) = call, let externalTaskID = request.externalTaskID else { return }
        let name = configuration.accounts[account].name
        journal.note(ArrivedCreate(account: name, externalTaskID: externalTaskID, outcome: outcome))
    }

    private mutating func carryOut(
        _ call: SimulatedRequest.Call, _ account: Int, _ fault: FindingFault?, _ now: Int, _ base: String,
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
        _ call: SimulatedRequest.Call, _ account: Int, _ fault: FindingFault?, _ now: Int, _ base: String
    ) throws(SimulatedRefusal) -> [UInt8] {
        switch call {
        case .create(let request):
            return try kling.create(request.get(), account: account, now: now).fields(at: now, base: base).json
        case .query(let id):
            guard let task = kling.query(id, account: account, now: now, fault) else { return try unknownTask(id, now) }
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
        if case .create(.success(let request)) = call, kling.takesWishedFault(request, account: account) {
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

    /// An answer that says no.
    mutating func refuse(_ refusal: SimulatedRefusal) -> SimulatedAnswer {
        SimulatedAnswer(refusal, requestID: kling.requestID())
    }

    /// An answer that says yes.
    mutating func succeed(_ data: [UInt8]) -> SimulatedAnswer {
        SimulatedAnswer(data: data, requestID: kling.requestID())
    }
}
