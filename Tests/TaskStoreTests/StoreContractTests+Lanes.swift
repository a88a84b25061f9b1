import TaskStore
import Testing

/// How the outbox is read, and how it follows a clock that jumps.
extension StoreContractTests {
    /// Makes a delivery for each acceptance, to the task's callback URL.
    private static let deliverAcceptance: StepCallbacks.Deliveries = { before, after in
        guard after.state == .submitted, before?.state != .submitted else { return nil }
        return NewDelivery(id: "msg_\(after.id)", url: after.callbackURL ?? "", body: [1, 2, 3], isLast: false)
    }

    /// Adds deliveries of a tenant to the outbox, due at `time`.
    private func fill(
        _ store: any TaskStore, _ samples: inout Samples, _ count: Int, _ tenant: String, _ url: String,
        at time: Int64 = 2_000
    ) async throws {
        for _ in 0..<count {
            let task = samples.task(tenant: tenant, callbackURL: url)
            try await store.begin(task)
            _ = try await store.accept(task.id, Samples.acceptance("kling-\(task.id)", at: time))
        }
    }

    /// The number of deliveries in `page` per lane, which is a tenant and a URL.
    private func lanes(_ page: OutboxPage) -> [String: Int] {
        page.rows.reduce(into: [:]) { $0["\($1.tenant) \($1.url)", default: 0] += 1 }
    }

    @Test(arguments: stores)
    func `a backlog hides neither another tenant nor another receiver`(_ subject: Subject) async throws {
        try await with(subject, deliveries: Self.deliverAcceptance) { store, samples in
            try await fill(store, &samples, 40, "a", "https://dead.example/1")
            try await fill(store, &samples, 1, "a", "https://DEAD.example?2", at: 3_000)
            try await fill(store, &samples, 1, "a", "https://alive.example/1", at: 4_000)
            try await fill(store, &samples, 1, "b", "https://dead.example/1", at: 5_000)
            try await fill(store, &samples, 1, "c", "https://later.example/1", at: 9_000)
            var bounds = OutboxBounds()
            bounds.each = 3
            let page = try await store.outbox.dueDeliveries(at: 5_000, from: OutboxPosition(), bounds)
            #expect(
                lanes(page) == [
                    "a https://dead.example/1": 3, "a https://alive.example/1": 1, "b https://dead.example/1": 1,
                ])
            #expect(page.next == OutboxPosition())
        }
    }

    @Test(arguments: stores)
    func `a tenant's many receivers are read in turns and delay no other tenant`(_ subject: Subject) async throws {
        try await with(subject, deliveries: Self.deliverAcceptance) { store, samples in
            for number in 0..<5 { try await fill(store, &samples, 1, "a", "https://r\(number).example/") }
            try await fill(store, &samples, 1, "b", "https://b.example/")
            var bounds = OutboxBounds()
            bounds.lanes = 2
            var (position, read) = (OutboxPosition(), [String]())
            for _ in 0..<5 {
                let page = try await store.outbox.dueDeliveries(at: 5_000, from: position, bounds)
                #expect(page.rows.count == 3 && page.rows.last?.tenant == "b")
                read += page.rows.dropLast().map { String($0.url.dropFirst(8).prefix(2)) }
                position = page.next
            }
            #expect(read == ["r0", "r1", "r2", "r3", "r4", "r0", "r1", "r2", "r3", "r4"])
        }
    }

    @Test(arguments: stores, [true, false])
    func `deliveries that do not fit into one read come with the next`(_ subject: Subject, byRows: Bool) async throws {
        try await with(subject, deliveries: Self.deliverAcceptance) { store, samples in
            for tenant in ["a", "b", "c"] { try await fill(store, &samples, 2, tenant, "https://\(tenant).example/") }
            var bounds = OutboxBounds()
            if byRows { bounds.rows = 2 } else { bounds.bytes = 6 }
            var (position, tenants) = (OutboxPosition(), [String]())
            repeat {
                let page = try await store.outbox.dueDeliveries(at: 5_000, from: position, bounds)
                tenants += page.rows.map(\.tenant)
                position = page.next
            } while position.tenant != nil
            #expect(tenants == ["a", "a", "b", "b", "c", "c"])
        }
    }

    // MARK: A clock that jumps

    @Test(arguments: stores, [7_200_000, -7_200_000] as [Int64])
    func `waiting deliveries move with a clock jump and wait no longer than their pause`(
        _ subject: Subject, step: Int64
    ) async throws {
        try await with(subject, deliveries: Self.deliverAcceptance) { store, samples in
            let start: Int64 = 10_000_000
            try await fill(store, &samples, 3, "a", "https://a.example/", at: start)
            let ids = try await store.outbox.dueDeliveries(at: start, limit: 9).map(\.id)
            // One has failed and waits for 5 s, one is in flight, one is new.
            for id in ids.prefix(2) {
                #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 60_000, at: start))
            }
            let attempt = DeliveryAttempt(number: 1, startedAt: start - 20, duration: 20, status: 500)
            try await store.outbox.settle(delivery: ids[0], attempt, .retry(at: start + 5_000))
            let now = start + 1_000 + step
            // This one is written after the jump.
            try await fill(store, &samples, 1, "a", "https://a.example/", at: now)
            try await store.outbox.shiftDeliveries(by: step, to: now)
            #expect(Set(try await store.outbox.dueDeliveries(at: now, limit: 9).map(\.id)).isSuperset(of: [ids[2]]))
            #expect(try await store.outbox.dueDeliveries(at: now, limit: 9).count == 2)
            #expect(try await store.outbox.dueDeliveries(at: now + 3_999, limit: 9).count == 2)
            #expect(try await store.outbox.dueDeliveries(at: now + 4_000, limit: 9).count == 3)
            #expect(try await store.outbox.dueDeliveries(at: now + 59_000, limit: 9).count == 4)
        }
    }

    @Test(arguments: stores)
    func `a start brings forward deliveries that a clock that was ahead had postponed`(_ subject: Subject) async throws
    {
        try await with(subject, deliveries: Self.deliverAcceptance) { store, samples in
            let (ahead, now): (Int64, Int64) = (400 * 86_400_000, 1_000_000)
            try await fill(store, &samples, 1, "a", "https://a.example/", at: ahead)
            try await fill(store, &samples, 1, "b", "https://b.example/", at: ahead)
            let id = try #require(try await store.outbox.dueDeliveries(at: ahead, limit: 9).first?.id)
            #expect(try await store.outbox.claim(delivery: id, attempts: 0, lease: 60_000, at: ahead))
            let attempt = DeliveryAttempt(number: 1, startedAt: ahead, duration: 20, status: 500)
            try await store.outbox.settle(delivery: id, attempt, .retry(at: ahead + 30_020))
            try await store.outbox.releaseLeases(at: now)
            #expect(try await store.outbox.dueDeliveries(at: now, limit: 9).map(\.tenant) == ["b"])
            #expect(try await store.outbox.dueDeliveries(at: now + 29_999, limit: 9).map(\.tenant) == ["b"])
            #expect(try await store.outbox.dueDeliveries(at: now + 30_000, limit: 9).map(\.tenant) == ["a", "b"])
        }
    }
}
