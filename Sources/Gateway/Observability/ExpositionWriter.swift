/// Writes metrics in Prometheus' text format 0.0.4: a family's `HELP` and `TYPE`, then its samples.
struct ExpositionWriter {
    enum Kind: String {
        case counter, gauge, histogram
    }

    typealias Labels = [(name: String, value: String)]

    /// The prefix of every family's name.
    static let prefix = "kling_gateway_"
    /// The `Content-Type` of the page.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// The bytes written so far.
    private(set) var bytes: [UInt8] = []
    private var name = ""

    init() { bytes.reserveCapacity(64 << 10) }

    /// Begins a family; the samples that follow belong to it.
    /// - Parameter name: without the prefix.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = Self.prefix + name
        write("# HELP \(self.name) ")
        writeEscaped(help, quotes: false)
        write("\n# TYPE \(self.name) \(kind.rawValue)\n")
    }

    /// Writes an integer sample.
    mutating func sample(_ labels: Labels = [], _ value: some BinaryInteger) {
        line("", labels, bound: nil, "\(value)")
    }

    /// Writes a floating-point sample.
    mutating func sample(_ labels: Labels = [], _ value: Double) {
        line("", labels, bound: nil, Self.text(value))
    }

    /// Writes a family of one sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        family(name, kind, help)
        sample([], value)
    }

    /// Writes a family of one sample.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample([], value)
    }

    /// Writes the samples of one histogram.
    /// - Parameters:
    ///   - bounds: the buckets' upper bounds, inclusive and ascending.
    ///   - counts: how many values fell into each bucket (not cumulative), followed by the number above every bound.
    mutating func histogram(_ labels: Labels = [], bounds: [Double], counts: [UInt64], sum: Double) {
        precondition(counts.count == bounds.count + 1, "a count for each bucket, and one beyond")
        var total: UInt64 = 0
        for (bound, count) in zip(bounds + [.infinity], counts) {
            total += count
            line("_bucket", labels, bound: bound, "\(total)")
        }
        line("_sum", labels, bound: nil, Self.text(sum))
        line("_count", labels, bound: nil, "\(total)")
    }

    private mutating func line(_ suffix: String, _ labels: Labels, bound: Double?, _ value: String) {
        write(name)
        write(suffix)
        let labels = bound.map { labels + [("le", Self.text($0))] } ?? labels
        for (index, label) in labels.enumerated() {
            write(index == 0 ? "{" : ",")
            write("\(label.name)=\"")
            writeEscaped(label.value, quotes: true)
            write("\"")
        }
        write(labels.isEmpty ? " " : "} ")
        write(value)
        write("\n")
    }

    private mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func writeEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): write(#"\\"#)
            case UInt8(ascii: "\n"): write(#"\n"#)
            case UInt8(ascii: "\"") where quotes: write(#"\""#)
            default: bytes.append(byte)
            }
        }
    }

    /// Formats a number so that Go's `ParseFloat` reads it.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.rounded() == value && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
