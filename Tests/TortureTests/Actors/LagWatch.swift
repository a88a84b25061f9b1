/// Records when the machine was too busy to run the test on time: the gateway cannot have been on time either.
struct LagWatch: Sendable {
    let world: World

    private static let pause = Duration.milliseconds(10)
    /// In microseconds.
    private static let usual = 30_000

    func run() async {
        while !world.progress.isOver {
            let began = world.clock.now
            await world.pause(Self.pause)
            let ended = world.clock.now
            if ended - began > Self.usual { world.ledger.addLag(began...ended) }
        }
    }
}
