internal import Foundation
internal import Gateway
internal import GatewayConfiguration
internal import Logging

extension Configuration {
    /// How many event loops there are.
    var loopCount: Int { server.workers ?? ProcessInfo.processInfo.activeProcessorCount }

    /// Raises the descriptor limit as far as possible and divides the descriptors. Logs what had to be lowered. Call it
    /// before anything is opened.
    func divideDescriptors(_ logger: Logger) throws -> DescriptorPlan {
        let limit = ProcessLimits.raiseDescriptorLimit()
        let plan = try DescriptorPlan(limit: limit, wantedDescriptors(limit: limit))
        if limit >= plan.needed { return plan }
        let isLowered = plan.connections < server.limits.connections
        logger.log(
            level: isLowered ? .warning : .notice,
            "connections are lowered to what the limit of open files allows: raise it (ulimit -n, LimitNOFILE)",
            metadata: [
                "limit": "\(limit)", "needed": "\(plan.needed)", "configured": "\(server.limits.connections)",
                "connections": "\(plan.connections)", "admin": "\(plan.adminConnections)",
                "upstream": "\(plan.pools.upstream * loopCount)", "callbacks": "\(plan.pools.callbacks)",
                "pictures": "\(plan.pools.pictures * loopCount)",
            ])
        return plan
    }

    private func wantedDescriptors(limit: Int) -> DescriptorPlan.Demand {
        var demand = DescriptorPlan.Demand(
            loops: loopCount, listeners: server.listen.count + admin.listen.count,
            connections: server.limits.connections,
            adminConnections: 256, pools: .wanted)
        demand.inherited = ProcessLimits.openDescriptors(below: limit)
        if alerts.url != nil { demand.inherited += AlertService.descriptors }
        return demand
    }
}

extension DescriptorPlan.Pools {
    /// The pools to use if there are enough descriptors.
    static let wanted = DescriptorPlan.Pools(
        upstream: HTTPUpstream.connections, callbacks: HTTPCallbackSender.connections,
        pictures: HTTPPictureSource.connections)
}
