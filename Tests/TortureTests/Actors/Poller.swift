import Foundation
import HTTPClient
import KlingAPI

/// Queries what clients were told, all the time, and records what it finds.
struct Poller: Sendable {
    let world: World
    let number: Int

    func run() async {
        var dice = Dice(seed: world.options.seed, "poller \(number)")
        while !world.progress.isOver {
            if dice.chance(0.1), let tenant = world.tenants.randomElement(using: &dice) {
                await look(.list, tenant, "?pageNum=1&pageSize=\(dice.pick([(1, 5), (1, 30), (1, 500)]))")
            } else if let question = world.ledger.question(&dice) {
                await look(.id(question.id), world.tenant(question.tenant), Inquiry.target(question.id))
            }
            await world.pause(dice.milliseconds(2...25))
        }
    }

    /// Asks, and records the answer if there is one.
    private func look(_ question: Sighting.Question, _ tenant: Tenant, _ target: String) async {
        let began = world.clock.now
        guard let finding = await Inquiry(world: world).ask(tenant, target) else { return }
        world.ledger.add(
            Sighting(
                tenant: tenant.name, question: question, began: began, ended: world.clock.now, finding: finding))
    }
}

/// Queries and lists.
struct Inquiry: Sendable {
    let world: World

    /// The target of a query by an id, whatever characters it has.
    static func target(_ id: String) -> String {
        "/" + (id.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(["-", "_", "."])) ?? id)
    }

    /// Asks for a task (`/ID`) or a page of tasks (`?…`).
    /// - Returns: nil if there was no answer.
    func ask(_ tenant: Tenant, _ target: String) async -> Sighting.Finding? {
        let answer = await world.caller.get(world.gateway.url + TryOn.path + target, key: tenant.key)
        guard let response = try? answer.get() else { return nil }
        guard response.status == 200, let kling = KlingAnswer(response.body) else {
            return response.status == 404 ? .unknown : .error(status: response.status)
        }
        if let task = kling.task.flatMap(SeenTask.init) { return .tasks([task]) }
        return kling.tasks.map { .tasks($0.compactMap(SeenTask.init)) } ?? .error(status: response.status)
    }

    /// All pages of a tenant's list.
    func list(_ tenant: Tenant) async throws -> [SeenTask] {
        var all: [SeenTask] = []
        for page in TryOn.pageNumbers {
            let size = TryOn.pageSizes.upperBound
            guard case .tasks(let tasks) = await ask(tenant, "?pageNum=\(page)&pageSize=\(size)") else {
                throw Unanswered(what: "page \(page) of \(tenant.name)'s list")
            }
            all += tasks
            if tasks.count < size { break }
        }
        return all
    }

    /// The error for a query that must be answered and was not.
    struct Unanswered: Error {
        let what: String
    }
}
