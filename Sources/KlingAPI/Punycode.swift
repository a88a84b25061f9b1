/// Punycode (RFC 3492): the ASCII form of a label of an international host name.
enum Punycode {
    private static let (base, lowest, highest) = (36, 1, 26)
    private static let (skew, damp) = (38, 700)

    /// The label in ASCII, without `xn--` before it; nil if it is too long to be one.
    static func encoded(_ label: String) -> String? {
        let scalars = label.unicodeScalars.map { Int($0.value) }
        guard scalars.count <= 63 else { return nil }
        var output = String(label.unicodeScalars.filter(\.isASCII))
        let basic = output.utf8.count
        if basic > 0 { output += "-" }
        var (next, delta, bias, handled) = (0x80, 0, 72, basic)
        while handled < scalars.count {
            guard let smallest = scalars.filter({ $0 >= next }).min() else { return nil }
            delta += (smallest - next) * (handled + 1)
            next = smallest
            for scalar in scalars {
                if scalar < next { delta += 1 }
                guard scalar == next else { continue }
                append(delta, bias, to: &output)
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                (delta, handled) = (0, handled + 1)
            }
            (delta, next) = (delta + 1, next + 1)
        }
        return output
    }

    /// Appends a number of variable length (section 3.3).
    private static func append(_ delta: Int, _ bias: Int, to output: inout String) {
        var (rest, position) = (delta, base)
        while true {
            let threshold = min(max(position - bias, lowest), highest)
            guard rest >= threshold else { break }
            output.unicodeScalars.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            position += base
        }
        output.unicodeScalars.append(digit(rest))
    }

    private static func digit(_ value: Int) -> UnicodeScalar {
        UnicodeScalar(UInt8(value < 26 ? value + 0x61 : value - 26 + 0x30))
    }

    /// The bias for the next number (section 6.1).
    private static func adapted(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var shift = 0
        while delta > (base - lowest) * highest / 2 {
            delta /= base - lowest
            shift += base
        }
        return shift + (base - lowest + 1) * delta / (delta + skew)
    }
}
