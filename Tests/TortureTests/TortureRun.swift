import Base
import EventLoop
import HTTPClient
import TestKit

/// A run: load and kills, then quiet, then the books.
struct TortureRun: Sendable {
    private let world: World

    /// Runs the torture on `loop`, and ends every process that it started, whatever happens.
    static func run(_ requested: TortureOptions, on loop: EventLoop) async throws -> Report {
        var (options, shim) = await clocks(requested)
        let disk = try TemporaryFolder()
        let powerCut = await powerCut(&options, disk)
        let client = try HTTPClient(loop: loop)
        defer { client.shutdown() }
        let upstream = try await Upstream(options)
        defer { upstream.kill() }
        let gateway = try await GatewayUnderTest(
            options, upstream: upstream, disk: disk, shim: shim, powerCut: powerCut)
        defer { gateway.abandon() }
        let (ledger, clock) = (Ledger(), RunClock(isGatewaysTrue: shim == nil))
        let receiver = try await CallbackReceiver(options, loop: loop, ledger: ledger, clock: clock)
        let outcome: Result<Report, any Error>
        do {
            var tenants: [Tenant] = []
            for name in Tenant.names(options) { tenants.append(try await gateway.makeTenant(name)) }
            try await gateway.setBudget()
            receiver.expect(tenants)
            let world = World(
                options: options, loop: loop, clock: clock, caller: Caller(client: client), upstream: upstream,
                gateway: gateway, receiver: receiver, ledger: ledger, progress: Progress(), shim: shim,
                tenants: tenants)
            outcome = .success(try await TortureRun(world: world).run())
        } catch {
            outcome = .failure(error)
        }
        await receiver.stop()
        return try outcome.get()
    }

    /// The shim for the gateway's clock. If this machine cannot have one, the options leave clocks out.
    private static func clocks(_ requested: TortureOptions) async -> (TortureOptions, ClockShim?) {
        guard requested.has(.clocks) else { return (requested, nil) }
        do { return (requested, try await ClockShim()) } catch {
            print("torture: the clock is not shifted: \(error)")
            var options = requested
            options.capabilities.remove(.clocks)
            return (options, nil)
        }
    }

    /// What cuts the power of the store's folder. If this machine cannot have it, the options leave power cuts out.
    private static func powerCut(_ options: inout TortureOptions, _ disk: TemporaryFolder) async -> PowerCut? {
        guard options.powerCuts > 0 else { return nil }
        do { return try await PowerCut(watching: disk.url) } catch {
            print("torture: the power is not cut: \(error)")
            options.powerCuts = 0
            return nil
        }
    }

    private func run() async throws -> Report {
        try world.gateway.start(syncDelay: KillPlan(world.options).kills.first?.syncDelay ?? .zero)
        try await world.gateway.whenServing()
        let begun = try await load()
        let faults = try await world.upstream.faults(world.caller)
        let books = try await Settlement(world: world).settle()
        var violations = Reconciliation(books).violations
        if begun < world.options.creates {
            let explanation = "\(begun) of \(world.options.creates) creates had begun after \(world.options.limit)"
            violations.append(Violation(kind: .overran, explanation: explanation))
        }
        if world.gateway.failovers < world.options.failovers {
            violations.append(Violation(kind: .noFailover, explanation: "the standby was not promoted"))
        }
        return Report(world, books, violations, faults: faults)
    }

    /// Runs all actors concurrently.
    /// - Returns: how many creates were begun.
    private func load() async throws -> Int {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let world = world
            group.addTask { try await Killer(world: world).run() }
            group.addTask { try await Weather(world: world).run() }
            group.addTask { try await ClockStepper(world: world).run() }
            group.addTask { await StoreHolder(world: world).run() }
            group.addTask { await LagWatch(world: world).run() }
            for number in 0..<world.options.pollers {
                group.addTask { await Poller(world: world, number: number).run() }
            }
            group.addTask {
                await clients()
                world.progress.finish()
            }
            do {
                try await group.waitForAll()
            } catch {
                // Without this, the other actors would run forever.
                world.progress.finish()
                throw error
            }
        }
        return world.progress.begun
    }

    /// Makes all creates, distributed over the clients.
    private func clients() async {
        let end = MonotonicTime.now + world.options.limit
        let names = world.tenants.map(\.name)
        let next = Lock(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<world.options.clients {
                group.addTask { [world] in
                    while MonotonicTime.now < end {
                        let number = next.withLock { number in
                            number += 1
                            return number
                        }
                        guard number <= world.options.creates else { return }
                        await Client(world: world).make(CreatePlan(number, world.options, tenants: names))
                    }
                }
            }
        }
    }
}
