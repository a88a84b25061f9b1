/// Compares the upstream's book, the store, and what clients were told and called about. It does no I/O.
struct Reconciliation: Sendable {
    let books: Books
    let upstreamByCreate: [Int: [UpstreamTask]]
    let upstreamByID: [String: UpstreamTask]
    let upstreamByGatewayID: [String: UpstreamTask]
    let storeByID: [String: StoreTask]
    let storeByUpstreamID: [String: [StoreTask]]
    /// The creates that arrived at the upstream, by the gateway's id, in order.
    let arrivals: [String: [ArrivedCreate]]
    /// The names that two accounts share at the gateway.
    let swapped: Set<String>
    /// The ids in each tenant's list.
    let listed: [String: Set<String>]

    init(_ books: Books) {
        self.books = books
        upstreamByCreate = Dictionary(grouping: books.upstream.filter { $0.number != nil }) { $0.number ?? 0 }
        upstreamByID = Dictionary(books.upstream.map { ($0.id, $0) }) { first, _ in first }
        upstreamByGatewayID = Dictionary(books.upstream.map { ($0.externalTaskID ?? "", $0) }) { first, _ in first }
        storeByID = Dictionary(books.store.map { ($0.id, $0) }) { first, _ in first }
        storeByUpstreamID = Dictionary(grouping: books.store.filter { $0.upstreamID != nil }) { $0.upstreamID ?? "" }
        arrivals = Dictionary(grouping: books.arrivals, by: \.externalTaskID)
        let names = Dictionary(grouping: books.accounts.values, by: \.gatewayName)
        swapped = Set(names.filter { $0.value.count > 1 }.keys)
        listed = books.lists.mapValues { Set($0.map(\.id)) }
    }

    /// Every broken promise, grouped by kind.
    var violations: [Violation] {
        payments + records + outcomes + promises + words + views + sightings + callbacks + budgets
    }

    /// The violations that waiting may resolve, judged by the upstream's book, the store, usage and the callbacks alone.
    var unsettled: [Violation] { (records + outcomes + callbacks + budgets).filter(\.maySettle) }

    /// The creates in order.
    var creates: [CreateEntry] { books.clients.creates.values.sorted { $0.number < $1.number } }

    /// The tasks that clients were told of: by which create, under which id, when, and which task of Kling's it is.
    var told: [(create: CreateEntry, id: String, at: Moment, upstream: UpstreamTask?)] {
        creates.flatMap { create in
            create.told.map { (create, $0.id, $0.at, upstream(of: $0.id)) }
        }
    }

    /// The upstream's task for a public id, which is Kling's own id or the gateway's.
    func upstream(of publicID: String) -> UpstreamTask? {
        upstreamByID[publicID] ?? upstreamByGatewayID[publicID]
    }
}
