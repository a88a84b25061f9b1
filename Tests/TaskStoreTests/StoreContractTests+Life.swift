import TaskStore
import Testing

/// The life of a task before Kling has it.
extension StoreContractTests {
    @Test(arguments: stores)
    func `a task may change its account until Kling has it`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task(account: nil)
            try await store.begin(task)
            #expect(try await store.task(task.id)?.account == nil)
            let second = try await store.assign(task.id, to: Assignment(account: "second"), at: 1_100)
            #expect(second.account == "second" && second.state == .intent && second.updatedAt == 1_100)
            #expect(try await store.task(task.id) == second)
            #expect(try await store.assign(task.id, to: Assignment(account: "second"), at: 1_200) == second)
            #expect(try await store.assign(task.id, to: nil, at: 1_300).account == nil)
            #expect(
                try await store.assign(task.id, to: Assignment(account: "third"), at: 1_400).account == "third"
            )
            let record = try await store.accept(task.id, Samples.acceptance("kling-7"))
            #expect(record.account == "third")
            let id = task.id
            #expect(
                await failure { () throws(StoreError) in
                    try await store.assign(id, to: Assignment(account: "main"), at: 3_000)
                }
                    == .stale)
            let nobody = samples.task().id
            #expect(
                await failure { () throws(StoreError) in
                    try await store.assign(nobody, to: nil, at: 3_000)
                }
                    == .notFound)
            #expect(try await store.task(task.id) == record)
        }
    }

    @Test(arguments: stores)
    func `an id that a client was told by the time of the acceptance stays public`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let (known, unknown) = (samples.task(), samples.task())
            for (task, isKnown) in [(known, true), (unknown, false)] {
                try await store.begin(task)
                let record = try await store.accept(
                    task.id, Samples.acceptance("kling \(isKnown)"), ownID: { _ in isKnown },
                    isRecoverable: true, answering: Samples.answer)
                #expect(record.publicID == (isKnown ? task.id.description : "kling false"))
                #expect(record.upstreamID == "kling \(isKnown)")
                #expect(try await store.task(tenant: "shop", publicID: "kling \(isKnown)") == record)
                #expect(try await store.task(tenant: "other", publicID: "kling \(isKnown)") == nil)
            }
        }
    }

    @Test(arguments: stores)
    func `a report that Kling never had a task is ignored once Kling has it`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            var never = Samples.seen(.failed, word: "never reached Kling")
            never.isIgnoredOnceAccepted = true
            let (had, open) = (samples.task(), samples.task())
            try await store.begin(had)
            try await store.begin(open)
            let record = try await store.accept(had.id, Samples.acceptance("kling-7"))
            #expect(try await store.observe(had.id, never) == record)
            #expect(try await store.observe(open.id, never).state == .failed)
        }
    }

    @Test(arguments: stores)
    func `a queued task has no account and is found and listed by the gateway's id`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task(externalTaskID: "order-1")
            try await store.begin(task)
            let record = try await store.queue(task.id, payload: 7_000, at: 1_500)
            #expect(record.state == .queued && record.account == nil && record.payload == 7_000)
            #expect(record.publicID == task.id.description && record.number == 1 && record.updatedAt == 1_500)
            #expect(try await store.task(tenant: "shop", publicID: task.id.description) == record)
            #expect(try await store.task(tenant: "shop", publicID: "order-1") == record)
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 30) == [record])
            #expect(try await store.unfinished(after: nil, limit: 10) == [record])
            #expect(
                await failure { () throws(StoreError) in try await store.refuse(task.id, reason: "", at: 2_000) }
                    == .stale)
        }
    }

    @Test(arguments: stores)
    func `a task that failed without Kling keeps its external_task_id until another has it`(_ subject: Subject)
        async throws
    {
        try await with(subject) { store, samples in
            let (failed, next) = (samples.task(externalTaskID: "order-1"), samples.task(externalTaskID: "order-1"))
            try await store.begin(failed)
            _ = try await store.queue(failed.id)
            _ = try await store.observe(failed.id, Samples.seen(.failed))
            #expect(try await store.task(tenant: "shop", publicID: "order-1")?.id == failed.id)
            #expect(try await store.task(tenant: "other", publicID: "order-1") == nil)
            try await store.begin(next)
            #expect(try await store.task(tenant: "shop", publicID: "order-1")?.id == next.id)
        }
    }

    @Test(arguments: stores)
    func `a queued task that finds no slot again only loses its account`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task()
            try await store.begin(task)
            let queued = try await store.queue(task.id)
            #expect(try await store.queue(task.id, payload: 1, at: 9_000) == queued)
            #expect(
                try await store.assign(task.id, to: Assignment(account: "second"), at: 1_600).state == .queued)
            let again = try await store.queue(task.id, payload: 1, at: 1_700)
            #expect(again.account == nil && again.payload == 7_000 && again.updatedAt == 1_700)
            #expect(again.publicID == queued.publicID && again.number == 1)
            #expect(try await store.task(task.id) == again)
        }
    }

    @Test(arguments: stores)
    func `a queued task is accepted under the id its client was told`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let task = samples.task()
            try await store.begin(task)
            _ = try await store.queue(task.id)
            try await store.assign(task.id, to: Assignment(account: "second"), at: 1_600)
            let record = try await store.accept(task.id, Samples.acceptance("kling-7"))
            #expect(record.state == .submitted && record.account == "second" && record.payload == 0)
            #expect(record.publicID == task.id.description && record.upstreamID == "kling-7" && record.number == 1)
            #expect(try await store.task(task.id) == record)
            #expect(
                await failure { () throws(StoreError) in try await store.queue(task.id, payload: 1, at: 3_000) }
                    == .stale)
        }
    }

    @Test(arguments: stores)
    func `a queued task that is given up fails and frees its payload and external_task_id`(_ subject: Subject)
        async throws
    {
        try await with(subject) { store, samples in
            let task = samples.task(externalTaskID: "order-1")
            try await store.begin(task)
            _ = try await store.queue(task.id)
            #expect(try await store.observe(task.id, Samples.seen(.processing)).state == .queued)
            let record = try await store.observe(task.id, Samples.seen(.failed, word: "not sent within 30m"))
            #expect(record.state == .failed && record.payload == 0 && record.isReleased)
            #expect(try await store.task(tenant: "shop", publicID: task.id.description) == record)
            try await store.begin(samples.task(externalTaskID: "order-1"))
            let id = task.id
            #expect(await failure { () throws(StoreError) in try await store.queue(id) } == .stale)
            #expect(
                await failure { () throws(StoreError) in
                    try await store.assign(id, to: Assignment(account: "main"), at: 4_000)
                }
                    == .stale)
            let nobody = samples.task().id
            #expect(await failure { () throws(StoreError) in try await store.queue(nobody) } == .notFound)
        }
    }

    @Test(arguments: stores)
    func `every task that has not ended is unfinished`(_ subject: Subject) async throws {
        try await with(subject) { store, samples in
            let tasks = (0..<6).map { samples.task(account: $0 == 1 ? nil : "main") }
            for task in tasks { try await store.begin(task) }
            for task in tasks[2...3] { _ = try await store.queue(task.id) }
            try await store.assign(tasks[3].id, to: Assignment(account: "second"), at: 1_600)
            _ = try await store.accept(tasks[4].id, Samples.acceptance("kling-4"))
            try await store.refuse(tasks[5].id, reason: "1201", at: 2_000)
            #expect(try await store.unfinished(after: nil, limit: 9).map(\.id) == tasks.prefix(5).map(\.id))
        }
    }

    @Test(arguments: stores)
    func `old tasks are pruned in small steps, and newer pages stay the same`(_ subject: Subject)
        async throws
    {
        try await with(subject) { store, samples in
            let tasks = (0..<250).map { samples.task(at: 1_000 + Int64($0)) }
            for (index, task) in tasks.enumerated() {
                try await store.begin(task)
                let ended: TaskState = index == 3 ? .submitted : .succeed
                let acceptance = Samples.acceptance("kling-\(index)", ended, at: 2_000 + Int64(index))
                _ = try await store.accept(task.id, acceptance)
            }
            let pages = try await store.tasks(tenant: "shop", page: 1, size: 20)
            #expect(try await store.prune(tasksBefore: 2_200, limit: 150) == 150)
            #expect(try await store.prune(tasksBefore: 2_200, limit: 150) == 49)
            #expect(try await store.prune(tasksBefore: 2_200, limit: 150) == 0)
            #expect(try await store.task(tasks[3].id)?.state == .submitted)
            #expect(try await store.task(tasks[199].id) == nil)
            #expect(try await store.tasks(tenant: "shop", page: 1, size: 20) == pages)
            #expect(try await store.tasks(tenant: "shop", page: 3, size: 20).map(\.number) == (201...210).reversed())
            let next = samples.task(at: 9_000)
            try await store.begin(next)
            #expect(try await store.accept(next.id, Samples.acceptance("kling-new")).number == 251)
        }
    }
}

extension TaskStore {
    fileprivate func prune(tasksBefore time: Int64, limit: Int) async throws(StoreError) -> Int {
        try await prune(
            tasksFinishedBefore: time, deliveriesFinishedBefore: 0, idempotencyKeysCreatedBefore: 0, limit: limit)
    }
}
