internal import KlingAPI

/// The parameters of a list of jobs.
struct UseapiListParameters: Equatable {
    /// The account that runs the jobs; nil for any.
    var email: String?
    /// Whether the list asks for pictures; a try-on makes nothing else.
    var wantsPictures = true
    var size = TryOn.defaultPageSize
    /// Exclusive bounds of the creation time, in milliseconds since 1970.
    var createdBefore: Int64?
    var createdAfter: Int64?

    /// Parses a raw query. Unknown parameters are ignored.
    init(query: String?) throws(GatewayError) {
        var seen: Set<String> = []
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard ["email", "contentType", "pageSize", "createdBefore", "createdAfter"].contains(name) else { continue }
            guard seen.insert(name).inserted else {
                throw GatewayError(.badParameter, "\(name) appears in the query more than once.", parameter: name)
            }
            try read(name, Self.decoded(parts.count > 1 ? parts[1] : "", name))
        }
    }

    private mutating func read(_ name: String, _ value: String) throws(GatewayError) {
        switch name {
        case "email": email = value.isEmpty ? nil : value
        case "contentType":
            guard ["video", "image", "audio"].contains(value) else {
                throw GatewayError(.badParameter, "contentType must be video, image or audio.", parameter: name)
            }
            wantsPictures = value == "image"
        case "pageSize": size = Int(try Self.number(value, name, TryOn.pageSizes))
        case "createdBefore": createdBefore = Int64(try Self.number(value, name, Self.times))
        default: createdAfter = Int64(try Self.number(value, name, Self.times))
        }
    }

    private static let times = 0...(1 << 53)

    private static func number(
        _ text: String, _ name: String, _ range: ClosedRange<Int>
    ) throws(GatewayError) -> Int {
        let isDecimal = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isDecimal, let value = Int(text), range.contains(value) else {
            throw GatewayError(
                .badParameter, "\(name) must be a decimal number from \(range.lowerBound) to \(range.upperBound).",
                parameter: name)
        }
        return value
    }

    /// A value without its percent-encoding, which the server has already checked.
    private static func decoded(_ text: Substring, _ name: String) throws(GatewayError) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        guard let value = String(validating: bytes, as: UTF8.self) else {
            throw GatewayError(.badParameter, "\(name) is not text in UTF-8.", parameter: name)
        }
        return value
    }
}
