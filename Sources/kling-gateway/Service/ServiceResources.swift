internal import EventLoop
internal import GatewayConfiguration
internal import TaskStore

/// The resources that a gateway runs on: the store, the lock that lets it serve from the store, and the event loops.
struct ServiceResources: Sendable {
    let store: any TaskStore
    let loops: [EventLoop]
    private let lock: ServeLock?

    /// Locks and opens the store, and starts the loops.
    /// - Throws: an error with a message for the operator.
    init(_ configuration: Configuration) throws {
        lock = try configuration.lockStore()
        store = try configuration.openStore(isServing: true, lock: lock)
        loops = try (0..<configuration.loopCount).map { try EventLoop(name: "loop-\($0)") }
    }

    /// Closes the store and stops the loops. Call it once, after everything that uses them has ended, and not on one of
    /// the loops' threads.
    func close() async {
        await store.close()
        for loop in loops { loop.stop() }
    }
}
