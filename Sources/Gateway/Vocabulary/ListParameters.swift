internal import KlingAPI

/// The page that a request for a list asks for.
struct ListParameters: Equatable {
    var page = 1
    var size = TryOn.defaultPageSize

    /// Parses a raw query.
    init(query: String?) throws(GatewayError) {
        var seen: Set<String> = []
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            let range: ClosedRange<Int>
            switch name {
            case "pageNum": range = TryOn.pageNumbers
            case "pageSize": range = TryOn.pageSizes
            default: continue
            }
            guard seen.insert(name).inserted else {
                throw GatewayError(.badParameter, "\(name) appears in the query more than once.", parameter: name)
            }
            let value = try Self.number(parts.count > 1 ? parts[1] : "", name, range)
            if name == "pageNum" { page = value } else { size = value }
        }
    }

    private static func number(
        _ text: Substring, _ name: String, _ range: ClosedRange<Int>
    ) throws(GatewayError) -> Int {
        let isDecimal = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isDecimal, let value = Int(text), range.contains(value) else {
            throw GatewayError(
                .badParameter, "\(name) must be a decimal number from \(range.lowerBound) to \(range.upperBound).",
                parameter: name)
        }
        return value
    }
}
