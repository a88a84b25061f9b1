internal import KlingAPI

/// The requested page of a list.
struct ListPage: Sendable, Hashable {
    var number = 1
    var size = TryOn.defaultPageSize

    init() {}

    /// Parses a query string. Unknown parameters are ignored.
    init(query: String?) throws(SimulatedRefusal) {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? Int(parts[1]) : nil
            switch parts[0] {
            case "pageNum": number = try Self.checked(value, TryOn.pageNumbers, "pageNum")
            case "pageSize": size = try Self.checked(value, TryOn.pageSizes, "pageSize")
            default: continue
            }
        }
    }

    private static func checked(
        _ value: Int?, _ range: ClosedRange<Int>, _ name: String
    ) throws(SimulatedRefusal) -> Int {
        guard let value, range.contains(value) else {
            throw .parameter("\(name) must be in [\(range.lowerBound), \(range.upperBound)]")
        }
        return value
    }
}
