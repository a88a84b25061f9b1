import HTTPServer
import Testing

@testable import Gateway

struct DescriptorPlanTests {
    private static func demand(loops: Int = 2, connections: Int = 10_000) -> DescriptorPlan.Demand {
        DescriptorPlan.Demand(
            loops: loops, listeners: 2, connections: connections, adminConnections: 256,
            pools: DescriptorPlan.Pools(upstream: 1024, callbacks: 256, pictures: 64))
    }

    /// The most descriptors that a plan lets be open at once.
    private static func used(_ plan: DescriptorPlan, _ demand: DescriptorPlan.Demand) -> Int {
        let calls = (plan.pools.upstream + plan.pools.pictures) * demand.loops + plan.pools.callbacks
        return demand.inherited + 48 + 8 * demand.loops + demand.listeners + 2 * calls
            + HTTPServerConfiguration.descriptors(forConnections: plan.connections)
            + HTTPServerConfiguration.descriptors(forConnections: plan.adminConnections)
    }

    @Test(arguments: [
        // Limit, loops, clients, operators, calls to Kling on all loops, callbacks, picture fetches on all loops
        (256, 2, 93, 15, 18, 7, 6), (1024, 2, 506, 57, 82, 39, 38), (1024, 64, 39, 9, 128, 3, 64),
        (4096, 2, 2362, 228, 376, 167, 128), (16_384, 8, 10_000, 256, 2184, 256, 512),
        (65_536, 2, 10_000, 256, 2048, 256, 128), (1 << 30, 2, 10_000, 256, 2048, 256, 128),
    ])
    func `each part gets its minimum and a share of the rest`(
        limit: Int, loops: Int, clients: Int, operators: Int, kling: Int, callbacks: Int, pictures: Int
    ) throws {
        let plan = try DescriptorPlan(limit: limit, Self.demand(loops: loops))
        #expect(plan.connections == clients)
        #expect(plan.adminConnections == operators)
        #expect(plan.pools.upstream * loops == kling)
        #expect(plan.pools.callbacks == callbacks)
        #expect(plan.pools.pictures * loops == pictures)
    }

    @Test func `a plan never exceeds the limit, and grows with it`() throws {
        for loops in [1, 2, 7, 64] {
            for connections in [1, 50, 10_000] {
                let demand = Self.demand(loops: loops, connections: connections)
                var last: DescriptorPlan?
                for limit in 1...20_000 {
                    guard let plan = try? DescriptorPlan(limit: limit, demand) else { continue }
                    #expect(Self.used(plan, demand) <= limit)
                    #expect(plan.pools.upstream > 0 && plan.pools.callbacks > 0 && plan.pools.pictures > 0)
                    #expect(plan.connections >= min(connections, (last?.connections ?? 18) - 2))
                    #expect(plan.adminConnections >= last?.adminConnections ?? 8)
                    last = plan
                }
                #expect(last != nil)
            }
        }
    }

    @Test func `nothing is reduced at the limit that the plan says it needs`() throws {
        let demand = Self.demand()
        let needed = try DescriptorPlan(limit: 1 << 20, demand).needed
        let enough = try DescriptorPlan(limit: needed, demand)
        #expect(enough.connections == 10_000 && enough.adminConnections == 256 && enough.pools == demand.pools)
        #expect(try DescriptorPlan(limit: needed - 10, demand) != enough)
        #expect(Self.used(enough, demand) == needed)
    }

    @Test func `too few descriptors are refused, naming the minimum`() throws {
        let refusal = #expect(throws: DescriptorPlan.TooFew.self) { try DescriptorPlan(limit: 64, Self.demand()) }
        let least = try #require(refusal?.minimum)
        #expect(refusal?.limit == 64 && (65...160).contains(least))
        #expect(refusal?.description.contains("ulimit -n") == true)
        #expect(throws: DescriptorPlan.TooFew.self) { try DescriptorPlan(limit: least - 1, Self.demand()) }
        #expect(try DescriptorPlan(limit: least, Self.demand()).connections == 16)
    }

    @Test func `inherited descriptors are not divided`() throws {
        var demand = Self.demand()
        let few = try DescriptorPlan(limit: 512, demand)
        demand.inherited += 90
        #expect(try DescriptorPlan(limit: 512 + 90, demand).connections == few.connections)
    }
}
