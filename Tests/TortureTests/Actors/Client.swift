import HTTPClient
import KlingAPI
import TestKit

/// Makes creates, as its plan says, until it knows what came of each or must not ask again.
struct Client: Sendable {
    let world: World

    /// How long a client goes on with one create, in microseconds: after that it comes back when all is quiet.
    private static let patience = 3_000_000

    /// Carries out one create.
    func make(_ plan: CreatePlan) async {
        await world.pause(plan.rest)
        world.ledger.open(plan)
        world.progress.begin()
        await pursue(plan, firstManner: plan.manner)
    }

    /// Sends again what has a key and no outcome yet: whatever came of it, no second task may.
    func remake(_ plan: CreatePlan) async { await pursue(plan, firstManner: .waits) }

    private func pursue(_ plan: CreatePlan, firstManner: CreatePlan.Manner) async {
        var dice = Dice(seed: world.options.seed, "client \(plan.number)")
        let deadline = world.clock.now + Self.patience
        var (manner, pause) = (firstManner, 50)
        while true {
            let began = world.clock.now
            let outcome = await attempt(plan, manner: manner)
            let ended = world.clock.now
            world.ledger.add(Attempt(began: began, ended: ended, outcome: outcome), to: plan.number)
            guard outcome.invitesAnother(hasKey: plan.idempotencyKey != nil), ended < deadline else { return }
            await world.pause(dice.milliseconds(pause / 2...pause))
            (manner, pause) = (.waits, min(pause * 2, 800))
        }
    }

    private func attempt(_ plan: CreatePlan, manner: CreatePlan.Manner) async -> Attempt.Outcome {
        switch manner {
        case .waits: await exchange(plan, timeout: .seconds(20))
        case .leaves(let after): await exchange(plan, timeout: after)
        case .leavesAtOnce(let resets): await leave(plan, isWhole: true, resets: resets)
        case .cutsBody(let resets): await leave(plan, isWhole: false, resets: resets)
        }
    }

    private func path(_ plan: CreatePlan) -> String { (plan.isPrefixed ? "/kling" : "") + TryOn.path }

    private func exchange(_ plan: CreatePlan, timeout: Duration) async -> Attempt.Outcome {
        let answer = await world.caller.post(
            world.gateway.url + path(plan), plan.body(callbackURL: world.receiver.url(create: plan.number)),
            key: world.tenant(plan.tenant).key, idempotencyKey: plan.idempotencyKey, timeout: timeout)
        switch answer {
        case .success(let response): return Attempt.Outcome(response)
        case .failure(let error): return .nothing(wasSent: error.wasSent, reason: error.code.rawValue)
        }
    }

    /// Sends all of the request, or half of its body, and is gone.
    private func leave(_ plan: CreatePlan, isWhole: Bool, resets: Bool) async -> Attempt.Outcome {
        let body = Array(plan.body(callbackURL: world.receiver.url(create: plan.number)).utf8)
        var head = "POST \(path(plan)) HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        head += "Authorization: Bearer \(world.tenant(plan.tenant).key)\r\nContent-Length: \(body.count)\r\n"
        if let key = plan.idempotencyKey { head += "Idempotency-Key: \(key)\r\n" }
        let bytes = Array((head + "\r\n").utf8) + (isWhole ? body : Array(body.prefix(body.count / 2)))
        let port = world.gateway.url.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        let isConnected = try? await blocking {
            guard let client = try? RawClient(port: port) else { return false }
            try? client.send(bytes)
            if resets { client.reset() }
            return true
        }
        return isConnected == true ? .left(isWhole: isWhole) : .nothing(wasSent: false, reason: "connect")
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
        self = .refused(
            status: response.status, code: envelope?.integer("code"), message: envelope?.string("message") ?? "",
            taskID: envelope?.object("error")?.string("task_id"),
            forbidsRetry: response.headers["x-should-retry"] == "false")
    }
}

extension SeenTask {
    /// Reads a task; nil if it lacks what every task has.
    init?(_ task: TaskObject) {
        guard let id = task.taskID, let status = task.status else { return nil }
        self.init(
            id: id, status: status.rawValue, externalTaskID: task.externalTaskID, message: task.statusMessage)
    }
}
