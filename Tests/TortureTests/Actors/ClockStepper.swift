/// Sets the gateway's wall clock wrong and right again, while the gateway runs and while it is down.
struct ClockStepper: Sendable {
    let world: World

    func run() async throws {
        guard let shim = world.shim else { return }
        var plan = ClockPlan(world.options)
        while !world.progress.isOver {
            for spell in plan.next() where !world.progress.isOver {
                try shim.set(milliseconds: Int64(spell.shift) * 1000)
                world.ledger.addClockStep()
                await world.pause(spell.duration)
            }
        }
        try shim.set(milliseconds: 0)
    }
}
