internal import ArgumentParser
internal import Foundation
internal import KlingAPI
internal import TaskStore

/// The rules of a key or a tenant.
struct RuleOptions: ParsableArguments {
    @Option(help: "Requests per minute, or none for no limit.") var requestsPerMinute: String?
    @Option(help: "Tasks that run at once, or none for no limit.") var concurrency: String?
    @Option(help: "A model that creates may name, or any; may be repeated.") var model: [String] = []
    @Option(help: "An address or a range that requests may come from, or any; may be repeated.")
    var address: [String] = []
    @Option(help: "When it ends: a day (2026-12-24, which begins in UTC), a time from now (30d), or never.")
    var expires: String?

    func validate() throws {
        _ = try Self.number(requestsPerMinute, "--requests-per-minute")
        _ = try Self.number(concurrency, "--concurrency")
        if let expires, expires != "never" { _ = try OperatorTime.milliseconds(expires, "--expires") }
    }

    /// Writes the members that were given.
    func write(to writer: inout JSONWriter) throws {
        try Self.write("requests_per_minute", Self.number(requestsPerMinute, "--requests-per-minute"), to: &writer)
        try Self.write("concurrency", Self.number(concurrency, "--concurrency"), to: &writer)
        Self.write("models", model, to: &writer)
        Self.write("addresses", address, to: &writer)
        guard let expires else { return }
        try Self.write(
            "expires_at", .some(expires == "never" ? nil : OperatorTime.milliseconds(expires, "--expires")), to: &writer
        )
    }

    /// A number, or nil within an optional for `none`.
    private static func number(_ text: String?, _ option: String) throws -> Int?? {
        guard let text else { return nil }
        if text == "none" { return .some(nil) }
        guard let number = Int(text), number > 0 else {
            throw ValidationError("\(option) is '\(text)', but must be a whole number from 1 on, or none")
        }
        return .some(number)
    }

    private static func write(_ name: StaticString, _ value: Int??, to writer: inout JSONWriter) {
        guard let value else { return }
        if let value { writer.member(name, value) } else { writer.member(name, orNull: nil) }
    }

    private static func write(_ name: StaticString, _ texts: [String], to writer: inout JSONWriter) {
        if texts.isEmpty { return }
        writer.array(name) { list in
            for text in texts where text != "any" { list.string(text) }
        }
    }
}

/// Times as operators give them to commands.
enum OperatorTime {
    private static let units = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]

    /// Reads a day, a time in ISO 8601, or a time from now, as milliseconds since 1970.
    static func milliseconds(_ text: String, _ option: String) throws -> Int {
        if let day = CivilDate(text) { return day.number * 86_400_000 }
        if let date = try? Date(text, strategy: .iso8601) { return Int(date.timeIntervalSince1970 * 1000) }
        if let unit = text.last.flatMap({ units[String($0)] }), let count = Int(text.dropLast()),
            (1...100_000).contains(count)
        {
            return Int(Date().timeIntervalSince1970 * 1000) + count * unit * 1000
        }
        throw ValidationError(
            "\(option) is '\(text)', but must be a day such as 2026-12-24, a time such as 2026-12-24T18:00:00Z, or a "
                + "time from now such as 30d")
    }

    /// Reads a duration such as 24h, in seconds.
    static func seconds(_ text: String, _ option: String) throws -> Int {
        if text == "0" { return 0 }
        guard let unit = text.last.flatMap({ units[String($0)] }), let count = Int(text.dropLast()),
            (0...100_000).contains(count)
        else { throw ValidationError("\(option) is '\(text)', but must be a duration such as 24h") }
        return count * unit
    }
}
