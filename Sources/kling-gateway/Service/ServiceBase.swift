internal import EventLoop
internal import GatewayConfiguration
internal import TaskStore

/// What a gateway stands on: the store, with the right to serve from it, and the loops.
struct ServiceBase: Sendable {
    let store: SQLiteTaskStore
    let loops: [EventLoop]
    private let lock: ServeLock

    /// - Throws: an error with a message for the operator.
    init(_ configuration: Configuration) throws {
        lock = try ServeLock(store: configuration.storePath)
        store = try configuration.openStore(serving: lock)
        loops = try (0..<configuration.loopCount).map { try EventLoop(name: "loop-\($0)") }
    }

    /// Releases it. Call it once, from another thread than the loops', after all that use it have ended.
    func close() async {
        await store.close()
        for loop in loops { loop.stop() }
    }
}
