internal import Base
internal import KlingAPI
internal import TaskStore

/// Where a create goes: a slot of an account, or a place in the queue.
enum Place: Sendable {
    case account(Destination)
    case queue(TaskQueue.Reservation)
}

/// Finds places for creates.
struct Placement: Sendable {
    private let ledger: TaskLedger
    private let bodies: UpstreamBodies
    private var accounts: Accounts { ledger.accounts }

    init(_ ledger: TaskLedger, _ bodies: UpstreamBodies) { (self.ledger, self.bodies) = (ledger, bodies) }

    /// Reserves a slot of an account, at once or before the create's deadline; otherwise a place in the queue.
    func reserve(for create: Create) async throws(GatewayError) -> Place {
        if let destination = slot(for: create) { return .account(destination) }
        let (model, excluding) = (create.request.model, create.excluding)
        if let refusal = bodies.refusal(of: create.request, excluding: excluding) { throw refusal }
        let isWorthWaiting = accounts.canQueue(model: model, excluding: excluding)
        if isWorthWaiting,
            let account = await accounts.wait(
                for: create.id, tenant: create.principal.tenant, model: model, excluding: excluding,
                until: create.deadline)
        {
            return .account(Destination(account))
        }
        guard isWorthWaiting, !Task.isCancelled, let queue = ledger.queue,
            let reservation = create.room ?? queue.reserve(create.byteCount)
        else {
            throw accounts.refusalError(model: model, excluding: excluding)
        }
        return .queue(reservation)
    }

    /// Reserves a slot of an account, if one is free now.
    func slot(for create: Create) -> Destination? {
        accounts.reserve(create.id, model: create.request.model, excluding: create.excluding).map { Destination($0) }
    }

    /// Releases a place that was not used.
    func withdraw(_ create: Create, from place: Place) {
        switch place {
        case .account(let chosen): withdraw(create.id, from: chosen)
        case .queue(let reservation): ledger.queue?.cancel(reservation)
        }
    }

    /// Releases a slot that was not used.
    func withdraw(_ id: TaskID, from destination: Destination) {
        accounts.settled(id, on: destination.account.name, .withdrawn)
    }
}
