import Base
import TestKit

/// Waits until the run has settled, and then takes the final books.
struct Settlement: Sendable {
    let world: World

    private static let pollInterval = Duration.milliseconds(250)
    /// How many undecided creates are resent concurrently.
    private static let concurrency = 32

    /// Restarts the gateway without faults, lets clients resend undecided creates, and waits until the books agree or
    /// the time limit is reached.
    func settle() async throws -> Books {
        try await world.upstream.clearFaults()
        world.receiver.acceptEverything()
        try world.shim?.set(milliseconds: 0)
        world.ledger.addKill(at: world.clock.now)
        try await world.gateway.kill()
        try world.gateway.start()
        try await world.gateway.whenServing()
        // From now on the gateway counts in memory what ends, instead of adding it up when it is first asked.
        if world.options.has(.budgets) { _ = try await budget() }
        await resendUndecided()
        let end = MonotonicTime.now + .seconds(world.options.settling)
        while true {
            var books = Books()
            for account in AccountPlan(world.options).accounts { books.accounts[account.name] = account }
            try await read(&books)
            let isSettled = books.upstream.allSatisfy(\.isFinal) && Reconciliation(books).unsettled.isEmpty
            if isSettled || MonotonicTime.now > end { return try await finalBooks(from: books, until: end) }
            if !world.options.has(.watching) { try await queryTasks(&books) }
            await world.pause(Self.pollInterval)
        }
    }

    private func resendUndecided() async {
        let names = world.tenants.map(\.name)
        let undecided = world.ledger.book.creates.values.filter(\.isUndecided).map(\.number).sorted()
        for start in stride(from: 0, to: undecided.count, by: Self.concurrency) {
            await withTaskGroup(of: Void.self) { group in
                for number in undecided[start..<min(start + Self.concurrency, undecided.count)] {
                    group.addTask { [world] in
                        await Client(world: world).resend(CreatePlan(number, world.options, tenants: names))
                    }
                }
            }
        }
    }

    /// Queries everything that clients may query, and reads the books of the store and the upstream again. An open
    /// create at an account whose keys have changed may still be found meanwhile, and so may a task that a power cut
    /// has left without Kling's id; then the queries are repeated.
    private func finalBooks(from settled: Books, until end: MonotonicTime) async throws -> Books {
        var books = settled
        while true {
            let before = books.store.map(\.state)
            try await queryTasks(&books)
            try await read(&books)
            let isPatient = !books.postponed.isEmpty && MonotonicTime.now < end
            if books.store.map(\.state) == before, !isPatient {
                books.damages = try await world.gateway.damages()
                return books
            }
            if isPatient { await world.pause(Self.pollInterval) }
        }
    }

    private func read(_ books: inout Books) async throws {
        books.upstream = try await world.upstream.tasks(world.caller)
        books.arrivals = try await world.upstream.arrivals(world.caller)
        books.store = try await world.gateway.tasks()
        books.budgets = try await world.gateway.usage()
        if world.options.has(.budgets) { books.budgets.budgets[Tenant.limited] = try await budget() }
        books.clients = world.ledger.book
    }

    /// What the serving gateway says of the budget. It counts in memory.
    private func budget() async throws -> BudgetBook.Budget {
        struct Usage: Decodable { let budgets: [BudgetBook.Budget] }
        let answer = try await world.caller.get(
            world.gateway.url + "/v1/usage", key: world.tenant(Tenant.limited).key
        ).get()
        let usage = try decoded(Usage.self, answer.body, from: "usage")
        guard let budget = usage.budgets.first else {
            throw ClientQueries.Unanswered(what: "what the tenant with a budget has used")
        }
        return budget
    }

    /// Lists and queries the tasks as their clients do. Without watching, this is also how the gateway learns of ends.
    private func queryTasks(_ books: inout Books) async throws {
        let queries = ClientQueries(world: world)
        for tenant in world.tenants { books.lists[tenant.name] = try await queries.list(tenant) }
        books.postponed = []
        for question in questions(books) {
            switch await queries.get(world.tenant(question.tenant), ClientQueries.target(question.id)) {
            case .tasks(let tasks): books.answers[question] = .some(tasks.first)
            case .unknown: books.answers[question] = .some(nil)
            case .later:
                books.answers.removeValue(forKey: question)
                books.postponed.insert(question)
            case .error, nil: throw ClientQueries.Unanswered(what: "a query for \(question.id) of \(question.tenant)")
            }
        }
    }

    /// A query for each task by each id that its owner may know.
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
