import TaskStore
import Testing

/// `Idempotency-Key`s.
extension StoreContractTests {
    private static let day = IdempotencyRecord.lifetime

    @Test(arguments: stores)
    func `a key is claimed with the intent, and only for its tenant`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            #expect(try await store.idempotency(tenant: "shop", key: "try-1") == nil)
            let task = samples.task(key: "try-1")
            try await store.begin(task)
            #expect(
                try await store.idempotency(tenant: "shop", key: "try-1")
                    == IdempotencyRecord(fingerprint: [1, 2, 3], task: task.id, answer: nil, createdAt: 1_000))
            #expect(try await store.task(task.id)?.idempotencyKey == "try-1")
            #expect(try await store.idempotency(tenant: "other", key: "try-1") == nil)
            try await store.begin(samples.task(tenant: "other", key: "try-1"))
        }
    }

    @Test(arguments: stores)
    func `a key in use stops the intent before anything else does`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let first = samples.task(externalTaskID: "order-1", key: "try-1")
            try await store.begin(first)
            for externalTaskID in ["order-1", "order-2"] {
                let second = samples.task(externalTaskID: externalTaskID, key: "try-1")
                #expect(
                    await failure { () throws(StoreError) in try await store.begin(second) } == .idempotencyKeyInUse)
                #expect(try await store.task(second.id) == nil)
            }
            #expect(try await store.idempotency(tenant: "shop", key: "try-1")?.task == first.id)
            try await store.begin(samples.task(externalTaskID: "order-2", key: "try-2"))
        }
    }

    @Test(arguments: stores)
    func `an intent that cannot be written claims no key`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await store.begin(samples.task(externalTaskID: "order-1"))
            let second = samples.task(externalTaskID: "order-1", key: "try-1")
            #expect(await failure { () throws(StoreError) in try await store.begin(second) } == .externalTaskIDInUse)
            #expect(try await store.idempotency(tenant: "shop", key: "try-1") == nil)
            try await store.begin(samples.task(key: "try-1"))
        }
    }

    @Test(arguments: stores)
    func `an acceptance stores the answer once`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let (task, plain) = (samples.task(key: "try-1"), samples.task())
            try await store.begin(task)
            try await store.begin(plain)
            let record = try await store.accept(task.id, Samples.acceptance("kling-7"))
            let kept = try await store.idempotency(tenant: "shop", key: "try-1")?.answer
            #expect(kept == StoredAnswer(status: 200, body: Array("kling-7 is submitted".utf8)))
            let never: @Sendable (TaskRecord) -> StoredAnswer = { _ in
                Issue.record("the answer is not needed")
                return StoredAnswer(status: 500, body: [])
            }
            #expect(try await store.accept(task.id, Samples.acceptance("kling-7"), answering: never) == record)
            _ = try await store.accept(plain.id, Samples.acceptance("kling-8"), answering: never)
            #expect(try await store.idempotency(tenant: "shop", key: "try-1")?.answer == kept)
        }
    }

    @Test(arguments: stores)
    func `the answer to a queued create stays, however the task ends`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let (one, other) = (samples.task(key: "try-1"), samples.task(key: "try-2"))
            for task in [one, other] {
                try await store.begin(task)
                _ = try await store.queue(task.id)
            }
            _ = try await store.accept(one.id, Samples.acceptance("kling-7"))
            _ = try await store.observe(other.id, Samples.seen(.failed))
            for (task, key) in [(one, "try-1"), (other, "try-2")] {
                let answer = StoredAnswer(status: 200, body: Array("\(task.id) is queued".utf8))
                #expect(try await store.idempotency(tenant: "shop", key: key)?.answer == answer)
            }
        }
    }

    @Test(arguments: stores)
    func `a refusal is stored for its key, or frees it`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let (one, other) = (samples.task(key: "try-1"), samples.task(key: "try-2"))
            for task in [one, other] { try await store.begin(task) }
            let answer = StoredAnswer(status: 400, body: Array("no".utf8))
            try await store.refuse(one.id, reason: "1201", at: 2_000, answer: answer)
            try await store.refuse(other.id, reason: "1302", at: 2_000, answer: nil)
            #expect(try await store.idempotency(tenant: "shop", key: "try-1")?.answer == answer)
            #expect(try await store.idempotency(tenant: "shop", key: "try-2") == nil)
            try await store.begin(samples.task(key: "try-2"))
        }
    }

    @Test(arguments: stores)
    func `a create without a stored answer keeps its key until it fails`(
        _ subject: Subject
    ) async throws {
        try await with(subject) { store, samples in
            let (lost, found) = (samples.task(key: "try-1"), samples.task(key: "try-2"))
            for task in [lost, found] {
                try await store.begin(task)
                _ = try await store.show(task.id, at: 1_500)
                try await store.assign(task.id, to: Assignment(account: "second"), at: 1_600)
            }
            #expect(try await store.idempotency(tenant: "shop", key: "try-1")?.task == lost.id)
            _ = try await store.observe(lost.id, Samples.seen(.failed))
            _ = try await store.accept(found.id, Samples.acceptance("kling-7"))
            #expect(try await store.idempotency(tenant: "shop", key: "try-1") == nil)
            let answer = StoredAnswer(status: 200, body: Array("\(found.id) is submitted".utf8))
            #expect(try await store.idempotency(tenant: "shop", key: "try-2")?.answer == answer)
            _ = try await store.observe(found.id, Samples.seen(.failed))
            #expect(try await store.idempotency(tenant: "shop", key: "try-2")?.answer == answer)
        }
    }

    @Test(arguments: stores)
    func `a claim older than a day gives way, and its task does not affect the new one`(_ subject: Subject)
        async throws
    {
        try await with(subject) { store, samples in
            let first = samples.task(key: "try-1", at: 1_000)
            try await store.begin(first)
            let early = samples.task(key: "try-1", at: 1_000 + Self.day)
            #expect(await failure { () throws(StoreError) in try await store.begin(early) } == .idempotencyKeyInUse)
            let second = samples.task(key: "try-1", at: 1_001 + Self.day)
            try await store.begin(second)
            _ = try await store.accept(first.id, Samples.acceptance("kling-7"))
            let claim = try await store.idempotency(tenant: "shop", key: "try-1")
            #expect(claim?.task == second.id && claim?.answer == nil && claim?.createdAt == 1_001 + Self.day)
        }
    }

    @Test(arguments: stores)
    func `old claims are pruned, including open ones`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            for number in 0..<5 {
                let task = samples.task(key: "try-\(number)", at: 1_000 + Int64(number))
                try await store.begin(task)
                if number == 0 { _ = try await store.accept(task.id, Samples.acceptance("kling-7")) }
            }
            for expected in [2, 1, 0] {
                let gone = try await store.prune(
                    tasksFinishedBefore: 0, deliveriesFinishedBefore: 0, idempotencyKeysCreatedBefore: 1_003, limit: 2)
                #expect(gone == expected)
            }
            #expect(try await store.idempotency(tenant: "shop", key: "try-2") == nil)
            #expect(try await store.idempotency(tenant: "shop", key: "try-3") != nil)
            #expect(try await store.unfinished(after: nil, limit: 9).count == 5)
        }
    }

    @Test(arguments: stores)
    func `old claims are pruned even if younger ones come before them`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            // Claims that were made while the clock was years ahead, and more of them than are read at once.
            for number in 0..<120 { try await store.begin(samples.task(key: "ahead-\(number)", at: 9_000_000)) }
            for number in 0..<5 { try await store.begin(samples.task(key: "try-\(number)")) }
            let gone = try await store.prune(
                tasksFinishedBefore: 0, deliveriesFinishedBefore: 0, idempotencyKeysCreatedBefore: 2_000, limit: 500)
            #expect(gone == 5)
            #expect(try await store.idempotency(tenant: "shop", key: "try-0") == nil)
            #expect(try await store.idempotency(tenant: "shop", key: "ahead-0") != nil)
        }
    }

    @Test(arguments: stores)
    func `a claim gives way by the new claim's time, not by its own`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            try await store.begin(samples.task(key: "try-1", at: 1_000))
            // The clock is 400 days ahead, and the caller knows that it may be wrong.
            let task = samples.task(at: 1_000 + 400 * Self.day)
            let again = NewTask(
                id: task.id, tenant: "shop", assignment: Assignment(account: "main"), externalTaskID: nil,
                model: task.model, callbackURL: nil,
                keyID: nil, idempotency: Samples.claim("try-1", at: 2_000), createdAt: task.createdAt)
            #expect(await failure { () throws(StoreError) in try await store.begin(again) } == .idempotencyKeyInUse)
        }
    }

    @Test(arguments: stores)
    func `the clock mark is a single value that can be replaced`(_ subject: Subject) async throws {
        try await with(subject) { store, _ in
            #expect(try await store.clock.mark() == nil)
            for time in [2_000, 3_000, 1_000] as [Int64] {
                try await store.clock.keep(time)
                #expect(try await store.clock.mark() == time)
            }
        }
    }
}
