/// Keeps the gateway from writing to its store, for moments, and in a long run once for longer than clients wait.
struct StoreHolder: Sendable {
    let world: World

    private static let long = Duration.seconds(14)

    func run() async {
        guard world.options.has(.outages) else { return }
        var dice = Dice(seed: world.options.seed, "store")
        if world.options.isLong { await hold(Self.long) }
        while !world.progress.isOver {
            await world.pause(dice.milliseconds(1000...5000))
            await hold(dice.milliseconds(50...2500))
        }
    }

    private func hold(_ duration: Duration) async {
        while !world.progress.isOver {
            if world.gateway.holdStore() { break }
            await world.pause(.milliseconds(1))
        }
        world.ledger.addOutage()
        await world.pause(duration)
        world.gateway.releaseStore()
    }
}
