import Glibc
import TaskStore

/// A test's own folder, removed with everything in it.
final class StoreFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/task-store-XXXXXX".utf8CString)
        unsafe template.withUnsafeMutableBufferPointer { text in
            guard let start = text.baseAddress, unsafe mkdtemp(start) != nil else {
                fatalError("no temporary folder: errno \(errno)")
            }
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["gateway.db", "gateway.db-wal", "gateway.db-shm", "gateway.db-redo", "gateway.db.lock"] {
            for folder in ["", "/a/b", "/a"] { unsafe unlink("\(path)\(folder)/\(name)") }
        }
        for folder in ["/a/b", "/a", ""] { unsafe rmdir(path + folder) }
    }

    /// The path of the store's file.
    var database: String { path + "/gateway.db" }
}

/// Makes records to put into a store.
struct Samples {
    private var ids = TaskIDGenerator()

    mutating func task(
        tenant: String = "shop", externalTaskID: String? = nil, account: String? = "main",
        callbackURL: String? = "https://client.example/hook", key: String? = nil, at time: Int64 = 1_000
    ) -> NewTask {
        NewTask(
            id: ids.next(at: time), tenant: tenant, assignment: account.map { Assignment(account: $0) },
            externalTaskID: externalTaskID,
            model: "kolors-virtual-try-on-v1", callbackURL: callbackURL, keyID: "key_1",
            idempotency: key.map { Self.claim($0, at: time) }, createdAt: time)
    }

    /// A claim that replaces claims older than a day.
    static func claim(_ key: String, at time: Int64) -> IdempotencyKey {
        IdempotencyKey(key: key, fingerprint: [1, 2, 3], expiry: time - IdempotencyRecord.lifetime)
    }

    /// The answer that a client gets for a record.
    static let answer: @Sendable (TaskRecord) -> StoredAnswer = { record in
        StoredAnswer(status: 200, body: Array("\(record.publicID ?? "") is \(record.state)".utf8))
    }

    /// A delivery for each state that a client sees.
    static let deliveries: StepCallbacks.Deliveries = { before, after in
        guard after.state != .intent, after.state != .refused, before?.state != after.state else { return nil }
        return NewDelivery(
            id: "msg_\(after.id)_\(after.state)", url: after.callbackURL ?? "", body: Array("\(after.state)".utf8),
            isLast: after.state.isFinal)
    }

    /// A delivery for each change of the states in a job that its client knows of.
    static let jobDeliveries: StepCallbacks.JobDeliveries = { before, after in
        guard after.isKnown, before?.tasks.map(\.state) != after.tasks.map(\.state) else { return nil }
        let states = after.tasks.map { "\($0.state)" }.joined(separator: ",")
        return NewDelivery(
            id: "msg_\(after.number)_\(states)_\(after.updatedAt)", url: after.callbackURL ?? "",
            body: Array("\(after.callbackRef ?? "") is \(states)".utf8), isLast: after.isFinal)
    }

    /// Several tasks of one job.
    mutating func tasks(
        _ count: Int, tenant: String = "shop", externalTaskID: String? = nil, account: String? = "main",
        at time: Int64 = 1_000
    ) -> [NewTask] {
        (0..<count).map { index in
            task(
                tenant: tenant, externalTaskID: index == 0 ? externalTaskID : nil, account: index == 0 ? account : nil,
                callbackURL: nil, at: time)
        }
    }

    static func job(
        tenant: String = "shop", shape: String = "useapi", callbackURL: String? = nil, fingerprint: [UInt8]? = nil,
        key: String? = nil, account: String? = nil, maximumOtherRunningJobs: Int? = nil, at time: Int64 = 1_000
    ) -> NewJob {
        NewJob(
            tenant: tenant, shape: shape, request: Array("{}".utf8), callbackURL: callbackURL, callbackRef: "ref-1",
            fingerprint: fingerprint, idempotency: key.map { claim($0, at: time) },
            account: account, maximumOtherRunningJobs: maximumOtherRunningJobs, createdAt: time)
    }

    static func acceptance(_ upstreamID: String, _ state: TaskState = .submitted, at time: Int64 = 2_000) -> Acceptance
    {
        Acceptance(
            upstreamID: upstreamID, publicID: upstreamID, state: state, statusWord: "\(state)",
            answer: Array(#"{"task_id":"\#(upstreamID)"}"#.utf8), at: time)
    }

    static func seen(_ state: TaskState?, word: String? = nil, answer: String? = nil, at time: Int64 = 3_000)
        -> Observation
    {
        let word = word ?? state.map { "\($0)" } ?? ""
        return Observation(state: state, statusWord: word, answer: answer.map { Array($0.utf8) }, at: time)
    }

    static func key(_ number: UInt8, tenant: String = "shop") -> NewKey {
        NewKey(
            id: "key_\(number)", tenant: tenant, secrets: secrets(number), createdAt: Int64(number))
    }

    static func secrets(_ number: UInt8) -> KeySecrets {
        KeySecrets(
            bearerHash: Array(repeating: number, count: 32), prefix: "sk-\(number)", accessKey: "ak_\(number)",
            sealedSecretKey: [1, 2, number])
    }
}

extension DeliveryStore {
    /// The due deliveries, up to `limit` of each lane.
    func dueDeliveries(at time: Int64, limit: Int) async throws(StoreError) -> [DeliveryRecord] {
        var bounds = OutboxBounds()
        bounds.each = limit
        return try await dueDeliveries(at: time, from: OutboxPosition(), bounds).rows
    }
}

extension TaskStore {
    func accept(_ id: TaskID, _ acceptance: Acceptance) async throws(StoreError) -> TaskRecord {
        try await accept(id, acceptance, answering: Samples.answer)
    }

    func queue(_ id: TaskID, payload: Int = 7_000, at time: Int64 = 1_500) async throws(StoreError) -> TaskRecord {
        try await queue(id, payload: payload, at: time, answering: Samples.answer)
    }

    func refuse(_ id: TaskID, reason: String, at time: Int64) async throws(StoreError) {
        try await refuse(id, reason: reason, at: time, answer: nil)
    }
}

/// The code of the error that `body` throws, if it throws.
func failure<Value>(_ body: () async throws(StoreError) -> Value) async -> StoreError.Code? {
    do throws(StoreError) {
        _ = try await body()
        return nil
    } catch {
        return error.code
    }
}
