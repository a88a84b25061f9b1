import TestKit

/// Kills the gateway or cuts its power, and restarts it at once.
struct Killer: Sendable {
    let world: World

    func run() async throws {
        let kills = KillPlan(world.options).kills
        for (index, kill) in kills.enumerated() {
            await world.progress.reach(kill.afterCreates)
            await world.pause(kill.delay)
            while world.gateway.isSpared { await world.pause(.milliseconds(100)) }
            let began = world.clock.now
            world.ledger.addKill(at: began)
            if case .gateway = kill.victim {
            } else {
                try await world.gateway.strike(kill.victim)
                if kill.victim.isDatabase { world.ledger.addOutage(began...world.clock.now) }
                continue
            }
            let dice = Dice(seed: world.options.seed, "power cut \(index)")
            try await world.gateway.kill(kill.victim, cuttingPower: kill.cutsPower ? dice : nil)
            let next = index + 1 < kills.count ? kills[index + 1] : nil
            try world.gateway.start(swapped: kill.isSwapped, syncDelay: next?.syncDelay ?? .zero)
            if kill.cutsPower { world.ledger.addPowerCut(began...world.clock.now) }
            // The next kill may come before the gateway serves.
            if next?.isInStart != true { try await world.gateway.whenServing() }
        }
    }
}
