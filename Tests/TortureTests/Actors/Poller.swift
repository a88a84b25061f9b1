import Foundation
import HTTPClient
import KlingAPI
import TestKit

/// Keeps querying the ids that clients were told, and listing tasks, and records the answers.
struct Poller: Sendable {
    let world: World
    let number: Int

    func run() async {
        var dice = Dice(seed: world.options.seed, "poller \(number)")
        while !world.progress.isOver {
            if dice.chance(0.1), let tenant = world.tenants.randomElement(using: &dice) {
                await record(.list, tenant, "?pageNum=1&pageSize=\(dice.pick([(1, 5), (1, 30), (1, 500)]))")
            } else if let question = world.ledger.question(&dice) {
                await record(.id(question.id), world.tenant(question.tenant), ClientQueries.target(question.id))
            }
            await world.pause(dice.milliseconds(2...25))
        }
    }

    /// Sends a query or a list, and records the answer if there is one.
    private func record(_ question: Sighting.Question, _ tenant: Tenant, _ target: String) async {
        let began = world.clock.now
        guard let finding = await ClientQueries(world: world).get(tenant, target) else { return }
        world.ledger.add(
            Sighting(
                tenant: tenant.name, question: question, began: began, ended: world.clock.now, finding: finding))
    }
}

/// Queries tasks and lists as a client does.
struct ClientQueries: Sendable {
    let world: World

    /// The target of a query by an id, whose characters are percent-encoded.
    static func target(_ id: String) -> String {
        "/" + (id.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(["-", "_", "."])) ?? id)
    }

    /// Queries a task (`/ID`) or a page of tasks (`?…`).
    /// - Returns: nil if there was no answer.
    func get(_ tenant: Tenant, _ target: String) async -> Sighting.Finding? {
        let answer = await world.caller.get(world.gateway.url + TryOn.path + target, key: tenant.key)
        guard let response = try? answer.get() else { return nil }
        guard response.status == 200, let kling = KlingAnswer(response.body) else {
            let isLater = response.status == 503 && response.headers["retry-after"] != nil
            // PostgreSQL is away, or HAProxy answers because no gateway is ready.
            if world.options.replicas > 1, isLater || JSONObject(response.body) == nil { return nil }
            return response.status == 404 ? .unknown : isLater ? .later : .error(status: response.status)
        }
        if let task = kling.task.flatMap(SeenTask.init) { return .tasks([task]) }
        return kling.tasks.map { .tasks($0.compactMap(SeenTask.init)) } ?? .error(status: response.status)
    }

    /// Reads all pages of a tenant's list.
    func list(_ tenant: Tenant) async throws -> [SeenTask] {
        var all: [SeenTask] = []
        for page in TryOn.pageNumbers {
            let size = TryOn.pageSizes.upperBound
            guard case .tasks(let tasks) = await get(tenant, "?pageNum=\(page)&pageSize=\(size)") else {
                throw Unanswered(what: "page \(page) of \(tenant.name)'s list")
            }
            all += tasks
            if tasks.count < size { break }
        }
        return all
    }

    /// The error for a query without an answer where one is required.
    struct Unanswered: Error {
        let what: String
    }
}
