internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// A create in progress: the order, and where it may go. The order is on the heap, because a create is passed through
/// a dozen asynchronous calls.
@dynamicMemberLookup
struct Create: Sendable {
    /// What the client requested, who the client is, and what is sent.
    final class Order: Sendable {
        let id: TaskID
        /// The id as Kling is sent it.
        let ownID: String
        let request: TryOnRequest
        let principal: Principal
        let idempotency: IdempotencyKey?
        /// What Kling is sent, unless an account needs something else.
        let body: [ByteSlice]
        let note: ExchangeNote

        init(
            _ id: TaskID, _ ownID: String, _ request: TryOnRequest, _ principal: Principal,
            _ idempotency: IdempotencyKey?, _ body: [ByteSlice], _ note: ExchangeNote
        ) {
            (self.id, self.ownID, self.request, self.principal) = (id, ownID, request, principal)
            (self.idempotency, self.body, self.note) = (idempotency, body, note)
        }
    }

    private let order: Order
    /// When it stops waiting for an account and is queued.
    var deadline: MonotonicTime
    /// The names of accounts that must not get it.
    var excluding: Set<String> = []
    /// A place in the queue that was reserved for it in advance.
    var room: TaskQueue.Reservation?

    init(_ order: Order, deadline: MonotonicTime) { (self.order, self.deadline) = (order, deadline) }

    subscript<Value>(dynamicMember member: KeyPath<Order, Value>) -> Value { order[keyPath: member] }

    /// The length of the body in bytes.
    var byteCount: Int { order.body.reduce(0) { $0 + $1.count } }

    /// The record of the intent to create the task.
    /// - Parameters:
    ///   - createdAt: milliseconds since 1970.
    ///   - prices: what it is expected to cost.
    func newTask(at place: Place?, createdAt: Int64, _ prices: UnitPrices, _ checks: SharedChecks) -> NewTask {
        order.newTask(at: place, createdAt: createdAt, prices, checks)
    }
}

extension Create.Order {
    fileprivate func newTask(
        at place: Place?, createdAt: Int64, _ prices: UnitPrices, _ checks: SharedChecks
    ) -> NewTask {
        var assignment: Assignment?
        if case .account(let destination) = place { assignment = destination.assignment }
        var task = NewTask(
            id: id, tenant: principal.tenant, assignment: assignment, externalTaskID: request.externalTaskID,
            model: request.model, callbackURL: request.callbackURL?.text,
            keyID: principal.keyID, idempotency: idempotency, content: note.resend?.key.content,
            shape: note.shape == .solutions ? note.shape.rawValue : nil,
            day: principal.policy.zone.day(of: createdAt), units: prices.units(of: request.model),
            bytes: body.reduce(0) { $0 + $1.count }, createdAt: createdAt)
        task.shared = checks
        return task
    }
}
