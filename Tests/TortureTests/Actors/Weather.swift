/// Makes things go wrong at Kling, in spells.
struct Weather: Sendable {
    let world: World

    func run() async throws {
        var plan = WeatherPlan(world.options)
        while !world.progress.isOver {
            let spell = plan.next()
            try await world.upstream.setFaults(spell.rules, world.caller)
            await world.pause(spell.duration)
        }
    }
}
