import TaskStore
import Testing

/// The outbox. Tasks are accepted at 2000 and continue from there.
extension StoreContractTests {
    private static func attempt(_ number: Int, at time: Int64, status: Int? = 503) -> DeliveryAttempt {
        DeliveryAttempt(
            number: number, startedAt: time, duration: 20, status: status,
            failure: status == nil ? "connection refused" : nil)
    }

    /// Accepts a task, whose first delivery then waits.
    private func accepted(_ store: any TaskStore, _ samples: inout Samples) async throws -> TaskID {
        let task = samples.task()
        try await store.begin(task)
        _ = try await store.accept(task.id, Samples.acceptance("kling-\(task.id)"))
        return task.id
    }

    /// The states of a task's deliveries, oldest first.
    private func states(_ store: any TaskStore, _ task: TaskID) async throws -> [DeliveryState] {
        try await store.outbox.deliveries(DeliveryFilter(task: task.description), limit: 9).reversed().map(\.state)
    }

    @Test(arguments: stores)
    func `a step writes a delivery due at once, if the task has a callback_url`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let (task, silent) = (samples.task(), samples.task(callbackURL: nil))
            for task in [task, silent] {
                try await store.begin(task)
                #expect(try await store.outbox.nextDelivery() == nil || task.id == silent.id)
                _ = try await store.accept(task.id, Samples.acceptance("kling-\(task.id)"))
            }
            let expected = DeliveryRecord(
                id: "msg_\(task.id)_submitted", task: task.id, tenant: "shop", url: "https://client.example/hook",
                body: Array("submitted".utf8), isLast: false, createdAt: 2_000, nextAttemptAt: 2_000)
            #expect(try await store.outbox.dueDeliveries(at: 2_000, limit: 9) == [expected])
            #expect(try await store.outbox.dueDeliveries(at: 1_999, limit: 9).isEmpty)
            #expect(try await store.outbox.nextDelivery() == 2_000)
            _ = try await store.observe(task.id, Samples.seen(nil, word: "odd"))
            #expect(try await store.outbox.deliveries(DeliveryFilter(), limit: 9) == [expected])
        }
    }

    @Test(arguments: stores)
    func `each step is passed with the record before it, and the first with none`(_ subject: Subject) async throws {
        let seen: StepCallbacks.Deliveries = { before, after in
            let text = "\(before.map { "\($0.state)" } ?? "nothing")-\(after.state)"
            return NewDelivery(id: "\(after.id)-\(text)", url: "", body: Array(text.utf8), isLast: false)
        }
        try await with(subject, deliveries: seen) { store, samples in
            let task = samples.task(key: "try-1")
            try await store.begin(task)
            _ = try await store.queue(task.id)
            _ = try await store.accept(task.id, Samples.acceptance("kling-7"))
            _ = try await store.accept(task.id, Samples.acceptance("kling-7"))
            let bodies = try await store.outbox.deliveries(DeliveryFilter(), limit: 9)
                .map { String(decoding: $0.body, as: UTF8.self) }
            #expect(bodies == ["queued-submitted", "intent-queued", "nothing-intent"])
        }
    }

    @Test(arguments: stores)
    func `a step whose delivery cannot be written is not taken`(_ subject: Subject) async throws {
        let same: StepCallbacks.Deliveries = { _, after in
            after.state == .intent ? nil : NewDelivery(id: "msg_1", url: "", body: [], isLast: false)
        }
        try await with(subject, deliveries: same) { store, samples in
            let task = samples.task(key: "try-1")
            try await store.begin(task)
            let queued = try await store.queue(task.id)
            #expect(
                await failure { () throws(StoreError) in try await store.accept(task.id, Samples.acceptance("kling-7"))
                } == .alreadyExists)
            #expect(try await store.task(task.id) == queued)
            #expect(try await store.outbox.deliveries(DeliveryFilter(), limit: 9).count == 1)
        }
    }

    @Test(arguments: stores)
    func `a task's deliveries are sent one after the other`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            _ = try await store.observe(task, Samples.seen(.processing, at: 2_500))
            _ = try await store.observe(task, Samples.seen(.succeed, at: 3_000))
            for (index, state) in ["submitted", "processing", "succeed"].enumerated() {
                let all = try await store.outbox.dueDeliveries(at: 5_000, limit: 9)
                let due = try #require(all.first)
                #expect(all.map(\.id) == ["msg_\(task)_\(state)"] && due.isLast == (index == 2))
                let later = "msg_\(task)_succeed"
                if index < 2 {
                    #expect(try await !store.outbox.claim(delivery: later, attempts: 0, lease: 100, at: 5_000))
                }
                #expect(try await store.outbox.claim(delivery: due.id, attempts: 0, lease: 100, at: 5_000))
                #expect(try await store.outbox.dueDeliveries(at: 5_050, limit: 9).isEmpty)
                #expect(try await store.outbox.nextDelivery() == 5_100)
                try await store.outbox.settle(delivery: due.id, Self.attempt(1, at: 5_000, status: 200), .delivered)
            }
            #expect(try await store.outbox.nextDelivery() == nil)
            let done = try await store.outbox.deliveries(DeliveryFilter(), limit: 9)
            #expect(done.map(\.state) == [.delivered, .delivered, .delivered])
            #expect(done.allSatisfy { $0.finishedAt == 5_020 && $0.nextAttemptAt == nil && $0.attempts == 1 })
        }
    }

    @Test(arguments: stores)
    func `the longest due delivery comes first, and every task gets its turn`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            var tasks: [TaskID] = []
            for _ in 0..<3 { tasks.append(try await accepted(store, &samples)) }
            let first = "msg_\(tasks[0])_submitted"
            #expect(try await store.outbox.claim(delivery: first, attempts: 0, lease: 100, at: 2_000))
            try await store.outbox.settle(delivery: first, Self.attempt(1, at: 2_000), .retry(at: 7_000))
            #expect(try await store.outbox.dueDeliveries(at: 2_000, limit: 9).map(\.task) == [tasks[1], tasks[2]])
            #expect(
                try await store.outbox.dueDeliveries(at: 7_000, limit: 9).map(\.task) == [tasks[1], tasks[2], tasks[0]])
            #expect(try await store.outbox.dueDeliveries(at: 7_000, limit: 1).map(\.task) == [tasks[1]])
        }
    }

    @Test(arguments: stores)
    func `deliveries leased by a dead process are due when the next one starts`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let id = "msg_\(try await accepted(store, &samples))_submitted"
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 60_000, at: 2_000))
            #expect(try await store.outbox.dueDeliveries(at: 3_000, limit: 10).isEmpty)
            try await store.outbox.releaseLeases(at: 3_000)
            #expect(try await store.outbox.dueDeliveries(at: 3_000, limit: 10).map(\.id) == [id])
            #expect(try await store.outbox.claim(delivery: id, attempts: 1, lease: 60_000, at: 3_000))
        }
    }

    @Test(arguments: stores)
    func `an attempt belongs to one sender until its lease ends`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let id = "msg_\(try await accepted(store, &samples))_submitted"
            #expect(try await !store.outbox.claim(delivery: id, attempts: 1, lease: 100, at: 2_000))
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 2_000))
            #expect(try await !store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 2_000))
            #expect(try await !store.outbox.claim(delivery: id, attempts: 1, lease: 100, at: 2_099))
            #expect(try await store.outbox.dueDeliveries(at: 2_099, limit: 9).isEmpty)
            #expect(try await store.outbox.dueDeliveries(at: 2_100, limit: 9).map(\.attempts) == [1])
            #expect(try await store.outbox.claim(delivery: id, attempts: 1, lease: 100, at: 2_100))
            // The first sender comes back late.
            try await store.outbox.settle(delivery: id, Self.attempt(1, at: 2_000), .gaveUp)
            let record = try #require(try await store.outbox.deliveries(DeliveryFilter(), limit: 9).first)
            #expect(record.state == .waiting && record.attempts == 2 && record.nextAttemptAt == 2_200)
            #expect(try await store.outbox.attempts(delivery: id).isEmpty)
            #expect(try await !store.outbox.claim(delivery: "nothing", attempts: 0, lease: 100, at: 2_000))
        }
    }

    @Test(arguments: stores)
    func `the outcome of an attempt is recorded once and kept`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let id = "msg_\(try await accepted(store, &samples))_submitted"
            let attempts = [Self.attempt(1, at: 2_000, status: nil), Self.attempt(2, at: 7_000, status: 410)]
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 2_000))
            try await store.outbox.settle(delivery: id, attempts[0], .retry(at: 7_000))
            try await store.outbox.settle(delivery: id, attempts[0], .delivered)
            #expect(try await !store.outbox.claim(delivery: id, attempts: 1, lease: 100, at: 6_999))
            #expect(try await store.outbox.claim(delivery: id, attempts: 1, lease: 100, at: 7_000))
            try await store.outbox.settle(delivery: id, attempts[1], .gaveUp)
            try await store.outbox.settle(delivery: id, attempts[1], .delivered)
            try await store.outbox.settle(delivery: "nothing", attempts[1], .delivered)
            let record = try #require(try await store.outbox.deliveries(DeliveryFilter(), limit: 9).first)
            #expect(record.state == .failed && record.finishedAt == 7_020 && record.nextAttemptAt == nil)
            #expect(try await store.outbox.attempts(delivery: id) == attempts)
            #expect(try await store.outbox.attempts(delivery: "nothing").isEmpty)
        }
    }

    @Test(arguments: stores)
    func `a failed delivery is superseded by the next state`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            let id = "msg_\(task)_submitted"
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 2_000))
            try await store.outbox.settle(delivery: id, Self.attempt(1, at: 2_000), .retry(at: 7_000))
            _ = try await store.observe(task, Samples.seen(.processing, at: 3_000))
            #expect(try await states(store, task) == [.superseded, .waiting])
            let superseded = try await store.outbox.deliveries(DeliveryFilter(state: .superseded), limit: 9)
            #expect(superseded.map(\.finishedAt) == [3_000] && superseded.map(\.nextAttemptAt) == [nil])
            #expect(try await store.outbox.dueDeliveries(at: 3_000, limit: 9).map(\.id) == ["msg_\(task)_processing"])
        }
    }

    @Test(arguments: stores)
    func `a delivery that is untried or in flight is not superseded before it fails`(_ subject: Subject)
        async throws
    {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            _ = try await store.observe(task, Samples.seen(.processing, at: 3_000))
            #expect(try await states(store, task) == [.waiting, .waiting])
            let id = "msg_\(task)_submitted"
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 3_950))
            _ = try await store.observe(task, Samples.seen(.succeed, at: 4_000))
            #expect(try await states(store, task) == [.waiting, .waiting, .waiting])
            try await store.outbox.settle(delivery: id, Self.attempt(1, at: 3_950), .retry(at: 9_000))
            #expect(try await states(store, task) == [.superseded, .waiting, .waiting])
            #expect(try await store.outbox.dueDeliveries(at: 4_000, limit: 9).map(\.id) == ["msg_\(task)_processing"])
        }
    }

    @Test(arguments: stores)
    func `an unsettled attempt is superseded once its lease has ended`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            let id = "msg_\(task)_submitted"
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 2_000))
            _ = try await store.observe(task, Samples.seen(.processing, at: 2_100))
            #expect(try await states(store, task) == [.superseded, .waiting])
            try await store.outbox.settle(delivery: id, Self.attempt(1, at: 2_000), .retry(at: 9_000))
            #expect(try await states(store, task) == [.superseded, .waiting])
        }
    }

    @Test(arguments: stores)
    func `the final state is retried`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            let ids = ["submitted", "failed"].map { "msg_\(task)_\($0)" }
            #expect(try await store.outbox.claim(delivery: ids[0], attempts: 0, lease: 100, at: 2_000))
            _ = try await store.observe(task, Samples.seen(.failed, at: 2_050))
            try await store.outbox.settle(delivery: ids[0], Self.attempt(1, at: 2_000, status: 200), .delivered)
            #expect(try await store.outbox.claim(delivery: ids[1], attempts: 0, lease: 100, at: 2_060))
            try await store.outbox.settle(delivery: ids[1], Self.attempt(1, at: 2_060), .retry(at: 9_000))
            #expect(try await states(store, task) == [.delivered, .waiting])
            #expect(try await store.outbox.nextDelivery() == 9_000)
        }
    }

    @Test(arguments: stores)
    func `a redelivery starts over with all its retries, whatever its state`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            let id = "msg_\(task)_submitted"
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 2_000))
            try await store.outbox.settle(delivery: id, Self.attempt(1, at: 2_000), .gaveUp)
            try await store.outbox.redeliver(delivery: id, at: 4_000)
            let record = try #require(try await store.outbox.dueDeliveries(at: 4_000, limit: 9).first)
            #expect(record.id == id && record.attempts == 0 && record.finishedAt == nil)
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 4_000))
            try await store.outbox.settle(delivery: id, Self.attempt(1, at: 4_000, status: 200), .delivered)
            #expect(try await store.outbox.attempts(delivery: id).map(\.startedAt) == [2_000, 4_000])
            #expect(
                await failure { () throws(StoreError) in try await store.outbox.redeliver(delivery: "nothing", at: 1) }
                    == .notFound)
        }
    }

    @Test(arguments: stores)
    func `a redelivery does not overtake an attempt in flight`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            let ids = ["submitted", "failed"].map { "msg_\(task)_\($0)" }
            _ = try await store.observe(task, Samples.seen(.failed, at: 2_050))
            #expect(try await store.outbox.claim(delivery: ids[0], attempts: 0, lease: 100, at: 2_000))
            try await store.outbox.settle(delivery: ids[0], Self.attempt(1, at: 2_000), .delivered)
            #expect(try await store.outbox.claim(delivery: ids[1], attempts: 0, lease: 100, at: 2_060))
            try await store.outbox.redeliver(delivery: ids[0], at: 2_070)
            #expect(try await store.outbox.nextDelivery() == 2_160)
            #expect(try await store.outbox.dueDeliveries(at: 2_159, limit: 9).isEmpty)
            #expect(try await store.outbox.dueDeliveries(at: 2_160, limit: 9).map(\.id) == [ids[0]])

            let own = try await accepted(store, &samples)
            let running = "msg_\(own)_submitted"
            #expect(try await store.outbox.claim(delivery: running, attempts: 0, lease: 100, at: 3_000))
            try await store.outbox.redeliver(delivery: running, at: 3_010)
            try await store.outbox.settle(delivery: running, Self.attempt(1, at: 3_000), .gaveUp)
            #expect(try await states(store, own) == [.waiting])
            #expect(try await !store.outbox.claim(delivery: running, attempts: 0, lease: 100, at: 3_099))
            #expect(try await store.outbox.claim(delivery: running, attempts: 0, lease: 100, at: 3_100))
        }
    }

    @Test(arguments: stores)
    func `the operator finds deliveries by tenant, state and any id of the task`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let (task, other) = (samples.task(), samples.task(tenant: "other"))
            for (task, id) in [(task, "kling-1"), (other, "kling-2")] {
                try await store.begin(task)
                _ = try await store.accept(task.id, Samples.acceptance(id))
            }
            let queued = samples.task()
            try await store.begin(queued)
            _ = try await store.queue(queued.id)
            _ = try await store.accept(queued.id, Samples.acceptance("kling-3"))
            func tasks(_ filter: DeliveryFilter, limit: Int = 9) async throws -> [TaskID] {
                try await store.outbox.deliveries(filter, limit: limit).map(\.task)
            }
            #expect(try await tasks(DeliveryFilter()) == [queued.id, queued.id, other.id, task.id])
            #expect(try await tasks(DeliveryFilter(), limit: 1) == [queued.id])
            #expect(try await tasks(DeliveryFilter(tenant: "other")) == [other.id])
            #expect(try await tasks(DeliveryFilter(task: "kling-1")) == [task.id])
            #expect(try await tasks(DeliveryFilter(task: "kling-3")) == [queued.id, queued.id])
            #expect(try await tasks(DeliveryFilter(task: queued.id.description)) == [queued.id, queued.id])
            #expect(try await tasks(DeliveryFilter(tenant: "other", task: "kling-1")).isEmpty)
            #expect(try await tasks(DeliveryFilter(state: .waiting)).count == 4)
            #expect(try await tasks(DeliveryFilter(state: .failed)).isEmpty)
        }
    }

    @Test(arguments: stores)
    func `old deliveries are pruned with their attempts, and waiting ones never are`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = try await accepted(store, &samples)
            let waiting = try await accepted(store, &samples)
            let id = "msg_\(task)_submitted"
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 100, at: 2_000))
            try await store.outbox.settle(delivery: id, Self.attempt(1, at: 2_000), .gaveUp)
            for (time, expected) in [(2_020, 0), (9_000, 1), (9_000, 0)] as [(Int64, Int)] {
                let gone = try await store.prune(
                    tasksFinishedBefore: 0, deliveriesFinishedBefore: time, idempotencyKeysCreatedBefore: 0, limit: 9)
                #expect(gone == expected)
            }
            #expect(try await store.outbox.attempts(delivery: id).isEmpty)
            #expect(try await store.outbox.deliveries(DeliveryFilter(), limit: 9).map(\.task) == [waiting])
        }
    }
}
