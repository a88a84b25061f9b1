import Base
import KlingAPI

@testable import Gateway

/// An upstream for several accounts that records the tasks that it makes, and fails as a test wants.
final class RecordingKling: KlingUpstream {
    /// How it fails.
    struct Behaviour: Sendable {
        /// How long queries don't find a task that it has made.
        var lag = Duration.zero
        /// Whether it refuses a second create with the same `external_task_id`.
        var isUnique = true
        /// The number of creates that make a task but lose the answer.
        var lostAnswers = 0
        /// The number of creates that make nothing and get no answer.
        var lostCreates = 0
        /// The answers of accounts that refuse creates, by name.
        var refusals: [String: (status: Int, body: String)] = [:]
        /// The `data` of the answer to every query, if set.
        var stranger: String?
    }

    /// A task that it has made.
    struct Made: Sendable {
        let id: String
        let externalTaskID: String
        let account: String
        let at: MonotonicTime
    }

    private struct State {
        var behaviour: Behaviour
        var createdTasks: [Made] = []
        var creates: [(account: String, at: MonotonicTime)] = []
        var queries = 0
    }

    private let state: Lock<State>
    private let clock: VirtualClock

    init(_ behaviour: Behaviour, clock: VirtualClock = VirtualClock()) {
        state = Lock(State(behaviour: behaviour))
        self.clock = clock
    }

    var createdTasks: [Made] { state.withLock { $0.createdTasks } }
    var creates: [(account: String, at: MonotonicTime)] { state.withLock { $0.creates } }

    func change(_ body: (inout Behaviour) -> Void) { state.withLock { body(&$0.behaviour) } }

    func send(_ call: KlingCall) async throws(KlingFailure) -> KlingReply {
        switch call.kind {
        case .create: try state.withLock { state throws(KlingFailure) in try Self.create(call, at: clock.now, &state) }
        case .query:
            state.withLock { Self.query(String(call.path.split(separator: "/").last ?? ""), at: clock.now, $0) }
        case .list: KlingReply(status: 404, body: Array("no list".utf8))
        }
    }

    private static func create(
        _ call: KlingCall, at now: MonotonicTime, _ state: inout State
    ) throws(KlingFailure) -> KlingReply {
        let name = call.account.name
        state.creates.append((name, now))
        if let (status, body) = state.behaviour.refusals[name] {
            return KlingReply(status: status, body: Array(body.utf8))
        }
        if state.behaviour.lostCreates > 0 {
            state.behaviour.lostCreates -= 1
            throw KlingFailure(.interrupted, wasSent: true, detail: "lost")
        }
        let body = call.body.flatMap { slice in slice.withUnsafeBytes { Array($0) } }
        let id = JSONObject(body)?.string("external_task_id") ?? "-"
        if state.behaviour.isUnique, state.createdTasks.contains(where: { $0.externalTaskID == id }) {
            return reply(400, #"{"code":1201,"message":"a task of that id exists","request_id":"r"}"#)
        }
        let made = Made(
            id: "\(815_000_000_000_000_000 + state.createdTasks.count)", externalTaskID: id, account: name, at: now)
        state.createdTasks.append(made)
        if state.behaviour.lostAnswers > 0 {
            state.behaviour.lostAnswers -= 1
            throw KlingFailure(.interrupted, wasSent: true, detail: "lost")
        }
        return found(made)
    }

    private static func query(_ id: String, at now: MonotonicTime, _ state: State) -> KlingReply {
        if let stranger = state.behaviour.stranger {
            return reply(200, #"{"code":0,"message":"ok","request_id":"r","data":\#(stranger)}"#)
        }
        let known = state.createdTasks.filter { $0.at + state.behaviour.lag <= now }
        guard let made = known.first(where: { $0.id == id || $0.externalTaskID == id }) else {
            return reply(400, #"{"code":1201,"message":"task not found","request_id":"r"}"#)
        }
        return found(made)
    }

    private static func found(_ made: Made) -> KlingReply {
        let task = TaskFields(
            taskID: made.id, status: .submitted, createdAt: 1, updatedAt: 1, externalTaskID: made.externalTaskID)
        return KlingReply(status: 200, body: Envelope.success(requestID: "r", data: task.json))
    }

    private static func reply(_ status: Int, _ json: String) -> KlingReply {
        KlingReply(status: status, body: Array(json.utf8))
    }
}
