/// Shifts the gateway's wall clock and corrects it, again and again, while the gateway runs and while it is down.
struct ClockStepper: Sendable {
    let world: World

    func run() async throws {
        guard let shim = world.shim else { return }
        var plan = ClockPlan(world.options)
        while !world.progress.isOver {
            for period in plan.next() where !world.progress.isOver {
                try shim.set(milliseconds: Int64(period.shift) * 1000)
                world.ledger.addClockStep()
                await world.pause(period.duration)
            }
        }
        try shim.set(milliseconds: 0)
    }
}
