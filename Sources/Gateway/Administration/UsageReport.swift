internal import Base
internal import KlingAPI
internal import TaskStore

/// A report of usage as it is sent, part by part.
final class UsageReport: Sendable {
    enum Format {
        case json, csv

        var mediaType: String { self == .json ? "application/json" : "text/csv; charset=utf-8" }
    }

    private struct Progress {
        var rows = 0
        var hasStarted = false
        var hasEnded = false
    }

    private static let rowsPerPart = 10_000

    private let query: UsageQuery
    private let format: Format
    private let store: any UsageStore
    private let progress = Lock(Progress())

    init(_ query: UsageQuery, _ format: Format, _ store: any UsageStore) {
        (self.query, self.format, self.store) = (query, format, store)
    }

    /// The next part; nil after the last one.
    func next() async throws(StoreError) -> [ByteSlice]? {
        let before = progress.withLock { $0 }
        if before.hasEnded { return nil }
        let rows = try await store.report(query, skipping: before.rows, limit: Self.rowsPerPart)
        let isLast = rows.count < Self.rowsPerPart
        progress.withLock { progress in
            progress.rows += rows.count
            progress.hasEnded = isLast
        }
        let bytes = part(rows, isFirst: before.rows == 0, isLast: isLast)
        return [ByteSlice(Bytes(bytes), 0..<bytes.count)]
    }

    /// Gives the first part once.
    func takeStart(_ part: [ByteSlice]) -> [ByteSlice]? {
        progress.withLock { progress in
            defer { progress.hasStarted = true }
            return progress.hasStarted ? nil : part
        }
    }

    private func part(_ rows: [UsageRow], isFirst: Bool, isLast: Bool) -> [UInt8] {
        switch format {
        case .csv:
            let lines = (isFirst ? [UsageRow.columns(query.dimensions)] : []) + rows.map(\.cells)
            return Array(lines.map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined().utf8)
        case .json:
            var bytes = Array((isFirst ? "[" : "").utf8)
            for (index, row) in rows.enumerated() {
                if !isFirst || index > 0 { bytes += ",\n".utf8 }
                bytes += JSONWriter.object { row.write(query.dimensions, to: &$0) }
            }
            return bytes + (isLast ? "]\n" : "").utf8
        }
    }

    /// A field of CSV (RFC 4180). A program for tables must not take a tenant's text for a formula.
    private static func quoted(_ text: String) -> String {
        let isFormula = text.first.map { "=+-@".contains($0) } ?? false
        let text = isFormula ? "'" + text : text
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}

extension UsageRow {
    /// The headings of ``cells``.
    static func columns(_ dimensions: [UsageDimension]) -> [String] {
        dimensions.map(\.rawValue)
            + [
                "made", "succeeded", "failed", "running", "refused", "units", "cash", "bytes", "seconds_median",
                "seconds_p95",
            ]
    }

    /// The values of a row of CSV.
    var cells: [String] {
        let paid = cash.sorted { $0.key < $1.key }.map { "\(Decimal6.text($0.value)) \($0.key)" }
        return values + [made, succeeded, failed, running, refused].map(String.init)
            + [
                Decimal6.text(units), paid.joined(separator: " "), String(bytes), seconds(0.5) ?? "",
                seconds(0.95) ?? "",
            ]
    }

    /// Writes the members of a row.
    func write(_ dimensions: [UsageDimension], to writer: inout JSONWriter) {
        for (dimension, value) in zip(dimensions, values) { writer.member(dimension.memberName, value) }
        writer.member("made", Int(made))
        writer.member("succeeded", Int(succeeded))
        writer.member("failed", Int(failed))
        writer.member("running", Int(running))
        writer.member("refused", Int(refused))
        writer.member("units", number: Decimal6.text(units))
        let amounts = cash.sorted { $0.key < $1.key }.map { currency, amount in
            String(decoding: JSONString.json(currency), as: UTF8.self) + ":" + Decimal6.text(amount)
        }
        writer.member("cash", number: "{\(amounts.joined(separator: ","))}")
        writer.member("bytes", Int(bytes))
        writer.member("seconds_median", number: seconds(0.5) ?? "null")
        writer.member("seconds_p95", number: seconds(0.95) ?? "null")
    }

    private func seconds(_ share: Double) -> String? {
        times.seconds(at: share).map { Decimal6.text(Int64(($0 * 1000).rounded()) * 1000) }
    }

    static let schema = AdminSchemas.object(
        [
            ("made", AdminSchemas.integer("Tasks that clients were given.")),
            ("succeeded", AdminSchemas.integer("Those that have succeeded.")),
            ("failed", AdminSchemas.integer("Those that have failed.")),
            ("running", AdminSchemas.integer("Those that have not ended.")),
            ("refused", AdminSchemas.integer("Creates that made no task.")),
            ("units", ["type": "number", "description": "Units, those held for unfinished tasks included."]),
            (
                "cash",
                [
                    "type": "object", "additionalProperties": ["type": "number"],
                    "description": "What was paid in money, by currency.",
                ]
            ), ("bytes", AdminSchemas.integer("The total size of the creates' bodies.")),
            ("seconds_median", seconds("Half of the tasks that succeeded took at most so long.")),
            ("seconds_p95", seconds("95 % of them took at most so long.")),
        ], optional: UsageDimension.allCases.map { ($0.rawValue, AdminSchemas.text("Present if it is in `by`.")) })

    private static func seconds(_ description: String) -> JSONLiteral {
        ["type": ["number", "null"], "description": .string(description)]
    }
}

extension UsageDimension {
    fileprivate var memberName: StaticString {
        switch self {
        case .tenant: "tenant"
        case .day: "day"
        case .key: "key"
        case .account: "account"
        case .model: "model"
        case .outcome: "outcome"
        }
    }
}
