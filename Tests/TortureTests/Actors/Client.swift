import HTTPClient
import KlingAPI
import TestKit

/// Makes creates as planned, until it knows the outcome of each or must not ask again.
struct Client: Sendable {
    let world: World

    /// How long a client keeps trying one create, in microseconds. After that, it tries again once the faults are over.
    private static let patience = 3_000_000

    /// Carries out one create.
    func make(_ plan: CreatePlan) async {
        await world.pause(plan.rest)
        world.ledger.open(plan)
        world.progress.begin()
        await pursue(plan, firstManner: plan.manner)
    }

    /// Resends a create whose outcome is unknown.
    func resend(_ plan: CreatePlan) async { await pursue(plan, firstManner: .waits) }

    /// Makes as many equal creates as the plan wants, one after the other.
    private func pursue(_ plan: CreatePlan, firstManner: CreatePlan.Manner) async {
        var manner = firstManner
        while await obtain(plan, firstManner: manner), world.ledger.acceptances(of: plan.number) < plan.wanted {
            await world.pause(plan.restBetween)
            manner = .waits
        }
    }

    /// Sends a create until it is accepted, must not be resent, or patience runs out.
    /// - Returns: whether it was accepted.
    private func obtain(_ plan: CreatePlan, firstManner: CreatePlan.Manner) async -> Bool {
        var dice = Dice(seed: world.options.seed, "client \(plan.number)")
        let deadline = world.clock.now + Self.patience
        var (manner, pause) = (firstManner, 50)
        while true {
            let attempt = await attempt(plan, manner: manner)
            world.ledger.add(attempt, to: plan.number)
            if case .accepted = attempt.outcome { return true }
            guard attempt.outcome.invitesAnother(plan.persistence), attempt.ended < deadline else { return false }
            await world.pause(dice.milliseconds(pause / 2...pause))
            (manner, pause) = (.waits, min(pause * 2, 800))
        }
    }

    private func attempt(_ plan: CreatePlan, manner: CreatePlan.Manner) async -> Attempt {
        let began = world.clock.now
        var isReplay = false
        let outcome: Attempt.Outcome
        switch manner {
        case .waits: outcome = await exchange(plan, timeout: .seconds(20), &isReplay)
        case .leaves(let after): outcome = await exchange(plan, timeout: after, &isReplay)
        case .leavesAtOnce(let resets): outcome = await leave(plan, isWhole: true, resets: resets)
        case .cutsBody(let resets): outcome = await leave(plan, isWhole: false, resets: resets)
        case .cutsAnswer(let after, let resets): outcome = await cut(plan, after: after, resets: resets)
        }
        return Attempt(began: began, ended: world.clock.now, outcome: outcome, isReplay: isReplay)
    }

    private func path(_ plan: CreatePlan) -> String { (plan.isPrefixed ? "/kling" : "") + TryOn.path }

    private func exchange(
        _ plan: CreatePlan, timeout: Duration, _ isReplay: inout Bool
    ) async -> Attempt.Outcome {
        let answer = await world.caller.post(
            world.gateway.url + path(plan), plan.body(callbackURL: world.receiver.url(create: plan.number)),
            key: world.tenant(plan.tenant).key, idempotencyKey: plan.idempotencyKey, timeout: timeout)
        switch answer {
        case .success(let response):
            isReplay = response.headers["idempotent-replayed"] == "true"
            return Attempt.Outcome(response)
        case .failure(let error): return .nothing(wasSent: error.wasSent, reason: error.code.rawValue)
        }
    }

    /// Sends the whole request, or half of its body, and leaves.
    private func leave(_ plan: CreatePlan, isWhole: Bool, resets: Bool) async -> Attempt.Outcome {
        let bytes = request(plan, isWhole: isWhole)
        return await connected { client in
            try? client.send(bytes)
            if resets { client.reset() }
            return .left(isWhole: isWhole)
        }
    }

    /// Sends the request, waits for the answer, and cuts the connection after that time or in the middle of the answer.
    private func cut(_ plan: CreatePlan, after: Duration, resets: Bool) async -> Attempt.Outcome {
        let bytes = request(plan, isWhole: true)
        return await connected { client in
            try? client.send(bytes)
            let hasArrived = client.waitForBytes(within: after)
            if hasArrived { client.readPart(100) }
            if resets { client.reset() }
            return .cut(hasArrived: hasArrived)
        }
    }

    /// A create as bytes, complete or with half of its body.
    private func request(_ plan: CreatePlan, isWhole: Bool) -> [UInt8] {
        let body = Array(plan.body(callbackURL: world.receiver.url(create: plan.number)).utf8)
        var head = "POST \(path(plan)) HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        head += "Authorization: Bearer \(world.tenant(plan.tenant).key)\r\nContent-Length: \(body.count)\r\n"
        if let key = plan.idempotencyKey { head += "Idempotency-Key: \(key)\r\n" }
        return Array((head + "\r\n").utf8) + (isWhole ? body : Array(body.prefix(body.count / 2)))
    }

    /// Runs `body` with a connection of its own, which is closed afterwards.
    private func connected(_ body: @escaping @Sendable (RawClient) -> Attempt.Outcome) async -> Attempt.Outcome {
        let port = world.gateway.url.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        let outcome = try? await blocking { (try? RawClient(port: port)).map(body) }
        return outcome.flatMap(\.self) ?? .nothing(wasSent: false, reason: "connect")
    }
}

extension Attempt.Outcome {
    /// Reads an answer to a create.
    init(_ response: HTTPClientResponse) {
        let envelope = JSONObject(response.body)
        if response.status == 200, let task = KlingAnswer(response.body)?.task.flatMap(SeenTask.init) {
            self = .accepted(task)
            return
        }
        // HAProxy's own answers, of which nobody knows what a gateway has done before.
        if envelope == nil, (502...504).contains(response.status) {
            self = .nothing(wasSent: true, reason: "HAProxy \(response.status)")
            return
        }
        self = .refused(
            status: response.status, code: envelope?.integer("code"), message: envelope?.string("message") ?? "",
            taskID: envelope?.object("error")?.string("task_id"),
            forbidsRetry: response.headers["x-should-retry"] == "false")
    }
}

extension SeenTask {
    /// Reads a task; nil if it lacks an id or a status.
    init?(_ task: TaskObject) {
        guard let id = task.taskID, let status = task.status else { return nil }
        self.init(
            id: id, status: status.rawValue, externalTaskID: task.externalTaskID, message: task.statusMessage,
            picture: task.images.first?.url)
    }
}
