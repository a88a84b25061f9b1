/// Reads the outbox lane by lane. Each step is one index look-up, however many deliveries are waiting.
struct OutboxLanes<Connection: StoreConnection> {
    let connection: Connection

    func due(
        at time: Int64, from position: OutboxPosition, _ bounds: OutboxBounds
    ) throws(StoreError) -> OutboxPage {
        var page = OutboxPage(next: position)
        page.next.tenant = nil
        var tenant = position.tenant ?? ""
        while let next = try nextTenant(after: tenant) {
            tenant = next
            try readLanes(of: tenant, at: time, bounds, into: &page)
            guard !page.isFull(bounds) else {
                page.next.tenant = tenant
                break
            }
        }
        return page
    }

    /// Reads a tenant's lanes in a ring, starting after the one that was read last.
    private func readLanes(
        of tenant: String, at time: Int64, _ bounds: OutboxBounds, into page: inout OutboxPage
    ) throws(StoreError) {
        let start = page.next.receivers.removeValue(forKey: tenant) ?? ""
        var (last, hasWrapped) = (start, start.isEmpty)
        for _ in 0..<bounds.lanes {
            var next = try nextLane(of: tenant, after: last)
            if next == nil, !hasWrapped {
                hasWrapped = true
                next = try nextLane(of: tenant, after: "")
            }
            guard let receiver = next, !hasWrapped || start.isEmpty || receiver <= start else { return }
            last = receiver
            page.add(try due(at: time, of: tenant, to: receiver, limit: bounds.each))
            if page.isFull(bounds) { break }
        }
        page.next.receivers[tenant] = last
    }

    private func nextTenant(after tenant: String) throws(StoreError) -> String? {
        let select = try connection.statement(.nextTenant)
        select.bind(1, tenant)
        return try select.first { $0.text(0) }
    }

    private func nextLane(of tenant: String, after receiver: String) throws(StoreError) -> String? {
        let select = try connection.statement(.nextLane)
        select.bind(1, tenant)
        select.bind(2, receiver)
        return try select.first { $0.text(0) }
    }

    private func due(
        at time: Int64, of tenant: String, to receiver: String, limit: Int
    ) throws(StoreError) -> [DeliveryRecord] {
        let select = try connection.statement(.laneDeliveries)
        select.bind(1, time)
        select.bind(2, tenant)
        select.bind(3, receiver)
        select.bind(4, limit)
        return try select.rows(DeliveryRecord.init(row:))
    }
}
