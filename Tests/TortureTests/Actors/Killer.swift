/// Kills the gateway and restarts it at once.
struct Killer: Sendable {
    let world: World

    func run() async throws {
        let kills = KillPlan(world.options).kills
        for (index, kill) in kills.enumerated() {
            await world.progress.reach(kill.afterCreates)
            await world.pause(kill.delay)
            while world.gateway.isSpared { await world.pause(.milliseconds(100)) }
            world.ledger.addKill(at: world.clock.now)
            try await world.gateway.kill()
            try world.gateway.start(swapped: kill.isSwapped)
            // The next kill may come before the gateway serves.
            let isNextInStart = index + 1 < kills.count && kills[index + 1].isInStart
            if !isNextInStart { try await world.gateway.whenServing() }
        }
    }
}
