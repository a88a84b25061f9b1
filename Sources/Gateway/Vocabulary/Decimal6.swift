/// Decimal numbers that are kept as millionths.
enum Decimal6 {
    /// A number of millionths as a decimal number without needless zeros, such as `0.5`.
    static func text(_ millionths: Int64) -> String {
        let (whole, rest) = millionths.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        let sign = millionths < 0 ? "-" : ""
        if rest == 0 { return sign + String(whole) }
        let digits = String(rest)
        let padded = String(repeating: "0", count: 6 - digits.count) + digits
        return "\(sign)\(whole)." + String(padded.reversed().drop { $0 == "0" }.reversed())
    }
}
