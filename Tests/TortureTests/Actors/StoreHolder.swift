import TestKit

/// Keeps the gateway from writing to its store, for moments, and in a long run once for longer than clients wait.
struct StoreHolder: Sendable {
    let world: World

    private static let long = Duration.seconds(14)

    func run() async {
        guard world.options.has(.outages) else { return }
        var dice = Dice(seed: world.options.seed, "store")
        var mayBeLong = world.options.isLong
        while !world.progress.isOver {
            await world.pause(dice.milliseconds(1000...5000))
            await hold(mayBeLong ? Self.long : dice.milliseconds(50...2500), isSpared: mayBeLong)
            mayBeLong = false
        }
    }

    /// - Parameter isSpared: whether the gateway must not be killed meanwhile.
    private func hold(_ duration: Duration, isSpared: Bool) async {
        while !world.gateway.holdStore(isSpared: isSpared) {
            guard !world.progress.isOver else { return }
            await world.pause(.milliseconds(1))
        }
        let began = world.clock.now
        await world.pause(duration)
        world.gateway.releaseStore()
        world.ledger.addOutage(began...world.clock.now)
    }
}
