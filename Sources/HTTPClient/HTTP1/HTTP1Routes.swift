/// Where a request goes: its URL in parts, and the destination whose connections it uses.
struct HTTP1Route {
    let target: HTTP1Target
    let destination: Destination
}

/// The routes of the URLs that were requested last, and the destinations.
struct HTTP1Routes {
    private struct URLKey: Hashable {
        var url: String
        var caFile: String?
    }

    private struct DestinationKey: Hashable {
        var origin: HTTP1Target.Origin
        var caFile: String?
    }

    private var routes: [URLKey: HTTP1Route] = [:]
    /// The route that was asked for last: most requests of a client go to the same few.
    private var last: HTTP1Route?
    private var lastKey = URLKey(url: "")
    private var known: [DestinationKey: Destination] = [:]

    /// How many routes are remembered, and the longest URL of one.
    private static let maximumRoutes = 256
    private static let longestURL = 2048

    /// Every destination that has connections or waiting calls, and perhaps others.
    var destinations: Dictionary<some Hashable, Destination>.Values { known.values }

    /// The route of a URL; nil if this path has no use for it.
    mutating func route(_ url: String, caFile: String?) -> HTTP1Route? {
        if lastKey.url == url, lastKey.caFile == caFile, let last { return last }
        let key = URLKey(url: url, caFile: caFile)
        if let route = routes[key] {
            (last, lastKey) = (route, key)
            return route
        }
        guard let target = HTTP1Target(url) else { return nil }
        if routes.count >= Self.maximumRoutes { forgetAll() }
        let route = HTTP1Route(target: target, destination: destination(target.origin, caFile: caFile))
        if url.utf8.count <= Self.longestURL { routes[key] = route }
        return route
    }

    private mutating func destination(_ origin: HTTP1Target.Origin, caFile: String?) -> Destination {
        let key = DestinationKey(origin: origin, caFile: caFile)
        if let destination = known[key] { return destination }
        if known.count >= Self.maximumRoutes { forgetAll() }
        let destination = Destination(origin)
        known[key] = destination
        return destination
    }

    /// Forgets the routes, and the destinations that nothing depends on.
    private mutating func forgetAll() {
        last = nil
        routes.removeAll(keepingCapacity: true)
        known = known.filter { !$0.value.isUnused }
    }
}
