/// The outbox in an SQL database.
struct SQLOutbox<Pool: StorePool>: DeliveryStore {
    let pool: Pool

    func dueDeliveries(
        at time: Int64, from position: OutboxPosition, _ bounds: OutboxBounds
    ) async throws(StoreError) -> OutboxPage {
        try await pool.read { connection throws(StoreError) in
            try OutboxLanes(connection: connection).due(at: time, from: position, bounds)
        }
    }

    func nextDelivery() async throws(StoreError) -> Int64? {
        try await pool.read { connection throws(StoreError) in
            try connection.statement(.nextDelivery).first { $0.integer(0) }
        }
    }

    func claim(delivery id: String, attempts: Int, lease: Int64, at time: Int64) async throws(StoreError) -> Bool {
        try await pool.write { connection throws(StoreError) in
            let claim = try connection.statement(.claimDelivery)
            claim.bind(1, id)
            claim.bind(2, attempts)
            claim.bind(3, time)
            claim.bind(4, lease)
            return try claim.executeCounting() > 0
        }
    }

    func releaseLeases(at time: Int64) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let release = try connection.statement(.releaseLeases)
            release.bind(1, time)
            try release.execute()
        }
    }

    func shiftDeliveries(by step: Int64, to time: Int64) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let shift = try connection.statement(.shiftDeliveries)
            shift.bind(1, step)
            shift.bind(2, time)
            try shift.execute()
        }
    }

    func settle(
        delivery id: String, _ attempt: DeliveryAttempt, _ outcome: DeliveryOutcome
    ) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            try connection.deliveries.settle(id, attempt, outcome)
        }
    }

    func redeliver(delivery id: String, at time: Int64) async throws(StoreError) {
        try await pool.write { connection throws(StoreError) in
            let redeliver = try connection.statement(.redeliver)
            redeliver.bind(1, id)
            redeliver.bind(2, time)
            if try redeliver.executeCounting() == 0 { throw StoreError(.notFound, "no delivery \(id)") }
        }
    }

    func deliveries(_ filter: DeliveryFilter, limit: Int) async throws(StoreError) -> [DeliveryRecord] {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(filter.task == nil ? .deliveryList : .deliveriesOfTask)
            select.bind(1, limit)
            select.bind(2, filter.tenant)
            select.bind(3, filter.state.map { Int64($0.rawValue) })
            if let task = filter.task {
                select.bind(4, TaskID(task))
                select.bind(5, task)
            }
            return try select.rows(DeliveryRecord.init(row:))
        }
    }

    func attempts(delivery id: String) async throws(StoreError) -> [DeliveryAttempt] {
        try await pool.read { connection throws(StoreError) in
            let select = try connection.statement(.attempts)
            select.bind(1, id)
            return try select.rows { row in
                DeliveryAttempt(
                    number: Int(row.integer(0)), startedAt: row.integer(1), duration: row.integer(2),
                    status: row.optionalInteger(3).map(Int.init), failure: row.optionalText(4))
            }
        }
    }
}
