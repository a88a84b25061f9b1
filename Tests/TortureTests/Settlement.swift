import Base
import TestKit

/// Waits until the run has settled, and closes the books.
struct Settlement: Sendable {
    let world: World

    private static let round = Duration.milliseconds(250)
    /// How many undecided creates are resent concurrently.
    private static let width = 32

    /// Restarts the gateway without faults, lets clients resend undecided creates, and waits until the books agree or
    /// time runs out.
    func books() async throws -> Books {
        try await world.upstream.clearFaults()
        world.receiver.becomeWilling()
        try world.shim?.set(milliseconds: 0)
        world.ledger.addKill(at: world.clock.now)
        try await world.gateway.kill()
        try world.gateway.start()
        try await world.gateway.whenServing()
        await remakeUndecided()
        let end = MonotonicTime.now + .seconds(world.options.settling)
        while true {
            var books = Books()
            for account in AccountPlan(world.options).accounts { books.accounts[account.name] = account }
            try await read(&books)
            let isSettled = books.upstream.allSatisfy(\.isFinal) && Reconciliation(books).unsettled.isEmpty
            if isSettled || MonotonicTime.now > end { return try await closed(books) }
            if !world.options.has(.watching) { try await look(&books) }
            await world.pause(Self.round)
        }
    }

    private func remakeUndecided() async {
        let names = world.tenants.map(\.name)
        let undecided = world.ledger.book.creates.values.filter(\.isUndecided).map(\.number).sorted()
        for start in stride(from: 0, to: undecided.count, by: Self.width) {
            await withTaskGroup(of: Void.self) { group in
                for number in undecided[start..<min(start + Self.width, undecided.count)] {
                    group.addTask { [world] in
                        await Client(world: world).remake(CreatePlan(number, world.options, tenants: names))
                    }
                }
            }
        }
    }

    /// Queries everything that clients may query, and reads the store's and the upstream's books again. An open create
    /// of an account whose keys have changed may be found at any time; the queries are then repeated.
    private func closed(_ settled: Books) async throws -> Books {
        var books = settled
        while true {
            let before = books.store.map(\.state)
            try await look(&books)
            try await read(&books)
            if books.store.map(\.state) == before { return books }
        }
    }

    private func read(_ books: inout Books) async throws {
        books.upstream = try await world.upstream.tasks(world.caller)
        books.arrivals = try await world.upstream.arrivals(world.caller)
        books.store = try await world.gateway.tasks()
        books.clients = world.ledger.book
    }

    private func look(_ books: inout Books) async throws {
        let inquiry = Inquiry(world: world)
        for tenant in world.tenants { books.lists[tenant.name] = try await inquiry.list(tenant) }
        for question in questions(books) {
            switch await inquiry.ask(world.tenant(question.tenant), Inquiry.target(question.id)) {
            case .tasks(let tasks): books.answers[question] = .some(tasks.first)
            case .unknown: books.answers[question] = .some(nil)
            case .error, nil: throw Inquiry.Unanswered(what: "a query for \(question.id) of \(question.tenant)")
            }
        }
    }

    /// Each task by every id that its owner may know.
    private func questions(_ books: Books) -> Set<Books.Question> {
        var questions: Set<Books.Question> = []
        for create in books.clients.creates.values {
            let ids = create.told.map(\.id)
            for id in ids + (ids.isEmpty ? [] : [create.externalTaskID].compactMap(\.self)) {
                questions.insert(Books.Question(tenant: create.tenant, id: id))
            }
        }
        for row in books.store {
            if let id = row.publicID { questions.insert(Books.Question(tenant: row.tenant, id: id)) }
        }
        return questions
    }
}
