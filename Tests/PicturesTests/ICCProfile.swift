/// ICC profiles made by hand.
struct ICCProfile {
    var space = "RGB "
    var connection = "XYZ "
    var tags: [(String, [UInt8])]

    var bytes: [UInt8] {
        var (table, body): ([UInt8], [UInt8]) = ([], [])
        for (name, data) in tags {
            table += Array(name.utf8) + big(132 + 12 * tags.count + body.count) + big(data.count)
            body += data + Array(repeating: 0, count: (4 - data.count % 4) % 4)
        }
        var head = big(132 + table.count + body.count) + [0, 0, 0, 0, 4, 0x30, 0, 0] + Array("mntr".utf8)
        head += Array(space.utf8) + Array(connection.utf8) + Array(repeating: 0, count: 12) + Array("acsp".utf8)
        head += Array(repeating: 0, count: 28) + [0.9642, 1, 0.8249].flatMap(Self.fixed)
        head += Array(repeating: 0, count: 128 - head.count)
        return head + big(tags.count) + table + body
    }

    /// Adobe RGB.
    static let wide = ICCProfile(tags: colorants + ["rTRC", "gTRC", "bTRC"].map { ($0, exponent(2.2)) })

    /// A table of inks that claims to have `points` points on each of its sides, and has none of them.
    static func table(points: UInt8) -> ICCProfile {
        let lut =
            Array("mft2".utf8) + [0, 0, 0, 0, 4, 3, points, 0] + Array(repeating: 0, count: 36) + big(2, 2) + big(2, 2)
        return ICCProfile(space: "CMYK", connection: "Lab ", tags: [("wtpt", white), ("A2B0", lut)])
    }

    static let white = xyz([0.9642, 1, 0.8249])
    static let colorants: [(String, [UInt8])] = [
        ("wtpt", white), ("rXYZ", xyz([0.60974, 0.31111, 0.01947])), ("gXYZ", xyz([0.20528, 0.62567, 0.06087])),
        ("bXYZ", xyz([0.14919, 0.06322, 0.74457])),
    ]

    static func exponent(_ gamma: Double) -> [UInt8] {
        Array("para".utf8) + Array(repeating: 0, count: 8) + fixed(gamma)
    }

    private static func xyz(_ point: [Double]) -> [UInt8] {
        Array("XYZ ".utf8) + [0, 0, 0, 0] + point.flatMap(fixed)
    }

    private static func fixed(_ number: Double) -> [UInt8] { big(Int((number * 65_536).rounded())) }
}
