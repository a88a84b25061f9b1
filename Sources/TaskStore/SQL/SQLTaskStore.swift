/// A task store in an SQL database.
struct SQLTaskStore<Pool: StorePool>: TaskStore {
    let pool: Pool

    var jobs: any JobStore { SQLJobs(pool: pool) }
    var outbox: any DeliveryStore { SQLOutbox(pool: pool) }
    var resends: any ResendStore { SQLResends(pool: pool) }
    var keys: any KeyStore { SQLKeys(pool: pool) }
    var accounts: any AccountStore { SQLAccounts(pool: pool) }
    var clock: any ClockStore { SQLClock(pool: pool) }
    var usage: any UsageStore { SQLUsage(pool: pool) }
    var audit: any AuditStore { SQLAudit(pool: pool) }
    var blobs: (any BlobStore)? { pool.blobs }

    var rates: (any RateStore)? { pool.replicas == nil ? nil : SQLRates(pool: pool) }
    var replicas: (any ReplicaStore)? { pool.replicas }

    func audited(_ entry: AuditEntry) -> any TaskStore { SQLTaskStore(pool: pool.audited(entry)) }

    func check() async throws(StoreError) { try await pool.check() }

    func close() async { await pool.close() }

    var statistics: StoreStatistics { pool.statistics }
}
