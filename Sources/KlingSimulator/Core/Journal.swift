internal import KlingAPI

/// The request counts of an account.
public struct SimulatedFigures: Sendable, Hashable {
    /// The account's name.
    public let account: String
    /// Creates, whatever their outcome.
    public internal(set) var creates = 0
    /// Creates that made a task.
    public internal(set) var accepted = 0
    /// Queries for one task.
    public internal(set) var queries = 0
    /// Queries for a page of tasks.
    public internal(set) var lists = 0
}

/// A create with an external id, and what its answer told the client.
struct ArrivedCreate: Sendable {
    enum Outcome: String, Sendable {
        /// The task was made, and the answer says so.
        case made
        /// Nothing was made, and the answer says so.
        case refused
        /// The answer says neither.
        case unclear
    }

    let account: String
    let externalTaskID: String
    let outcome: Outcome
}

/// A record of the requests received, for tests that compare it with what a client believes it sent.
struct Journal: Sendable {
    private(set) var figures: [SimulatedFigures]
    /// Requests that were refused for their credentials.
    private(set) var unauthorized = 0
    /// Requests to an API that their account does not have.
    private(set) var absentRoutes = 0
    /// Callbacks that were answered with 2xx, and those that were not.
    private(set) var callbacksDelivered = 0
    private(set) var callbacksFailed = 0
    /// The number of faults for each kind of request.
    private(set) var faults: [FaultRule.Point: Int] = [:]
    /// The header fields of the last request of each kind.
    private(set) var headers: [FaultRule.Point: [(name: String, value: String)]] = [:]
    /// The names of the header fields received, in lower case.
    private(set) var headerNames: Set<String> = []

    /// The first creates with an external id, in order of arrival.
    private(set) var creates: [ArrivedCreate] = []

    private static let maxHeaderNames = 1000
    private static let maxCreates = 100_000

    init(accounts: [String]) { figures = accounts.map { SimulatedFigures(account: $0) } }

    mutating func note(_ point: FaultRule.Point, account: Int) {
        switch point {
        case .create: figures[account].creates += 1
        case .query: figures[account].queries += 1
        case .list: figures[account].lists += 1
        case .callback: break
        }
    }

    mutating func note(_ create: ArrivedCreate) {
        if creates.count < Self.maxCreates { creates.append(create) }
    }

    mutating func noteAcceptance(account: Int) { figures[account].accepted += 1 }

    mutating func noteFault(on point: FaultRule.Point) { faults[point, default: 0] += 1 }

    mutating func noteUnauthorized() { unauthorized += 1 }

    mutating func noteAbsentRoute() { absentRoutes += 1 }

    mutating func noteCallback(delivered: Bool) {
        if delivered { callbacksDelivered += 1 } else { callbacksFailed += 1 }
    }

    mutating func note(_ fields: [(name: String, value: String)], on point: FaultRule.Point) {
        headers[point] = fields
        for field in fields where headerNames.count < Self.maxHeaderNames {
            headerNames.insert(field.name.lowercased())
        }
    }

    /// The journal's part of `GET /_simulator/requests`.
    func write(to writer: inout JSONWriter, running: (Int) -> Int) {
        writer.array("accounts") { list in
            for (number, figures) in figures.enumerated() {
                list.object { item in
                    item.member("account", figures.account)
                    item.member("creates", figures.creates)
                    item.member("accepted", figures.accepted)
                    item.member("queries", figures.queries)
                    item.member("lists", figures.lists)
                    item.member("running", running(number))
                }
            }
        }
        writer.member("unauthorized", unauthorized)
        writer.member("absent_routes", absentRoutes)
        writer.object("callbacks") { callbacks in
            callbacks.member("delivered", callbacksDelivered)
            callbacks.member("failed", callbacksFailed)
        }
        writer.object("faults") { counts in
            counts.member("create", faults[.create, default: 0])
            counts.member("query", faults[.query, default: 0])
            counts.member("list", faults[.list, default: 0])
            counts.member("callback", faults[.callback, default: 0])
        }
        writer.array("header_names") { list in headerNames.sorted().forEach { list.string($0) } }
        writer.object("headers") { points in
            points.array("create") { write(.create, to: &$0) }
            points.array("query") { write(.query, to: &$0) }
            points.array("list") { write(.list, to: &$0) }
        }
    }

    /// The answer to `GET /_simulator/creates`: the creates that arrived with an external id.
    var createsJSON: [UInt8] {
        JSONWriter.object { writer in
            writer.array("creates") { list in
                for create in creates {
                    list.object { item in
                        item.member("account", create.account)
                        item.member("external_task_id", create.externalTaskID)
                        item.member("outcome", create.outcome.rawValue)
                    }
                }
            }
        }
    }

    private func write(_ point: FaultRule.Point, to list: inout JSONWriter) {
        for field in headers[point] ?? [] {
            list.object { item in
                item.member("name", field.name)
                item.member("value", field.value)
            }
        }
    }
}
