/// A statement in the redo log, with the values that it ran with.
///
/// A log says the SQL of a statement once, before its first run. So a newer version of the program, whose statements
/// differ, can replay the log of an older one.
enum RedoEntry: Equatable {
    /// Gives the SQL of the statement with this number.
    case statement(UInt16, sql: String)
    /// The statement ran with these values.
    case run(UInt16, [RedoValue])

    /// The entries of a frame.
    /// - Returns: nil if the bytes are not entries, which a valid checksum excludes.
    static func entries(in bytes: ArraySlice<UInt8>) -> [RedoEntry]? {
        var reader = RedoReader(rest: bytes)
        var entries: [RedoEntry] = []
        while !reader.rest.isEmpty {
            guard let entry = reader.entry() else { return nil }
            entries.append(entry)
        }
        return entries
    }
}

/// A value that was bound to the parameter `index`, which counts from 1.
struct RedoValue: Equatable {
    enum Content: Equatable {
        case null
        case integer(Int64)
        case text([UInt8])
        case blob([UInt8])
    }

    let index: UInt8
    let content: Content
}

/// The first byte of an entry, and the second of a value.
enum RedoTag {
    static let statement: UInt8 = 1
    static let run: UInt8 = 2

    static let null: UInt8 = 0
    static let integer: UInt8 = 1
    static let text: UInt8 = 2
    static let blob: UInt8 = 3
}

private struct RedoReader {
    var rest: ArraySlice<UInt8>

    mutating func entry() -> RedoEntry? {
        guard let tag = rest.popFirst(), let code = number(2).map(UInt16.init) else { return nil }
        switch tag {
        case RedoTag.statement:
            guard let sql = bytes() else { return nil }
            return .statement(code, sql: String(decoding: sql, as: UTF8.self))
        case RedoTag.run:
            guard let count = rest.popFirst() else { return nil }
            var values: [RedoValue] = []
            for _ in 0..<count {
                guard let value = value() else { return nil }
                values.append(value)
            }
            return .run(code, values)
        default: return nil
        }
    }

    private mutating func value() -> RedoValue? {
        guard let index = rest.popFirst(), let tag = rest.popFirst() else { return nil }
        let content: RedoValue.Content? =
            switch tag {
            case RedoTag.null: .null
            case RedoTag.integer: number(8).map { .integer(Int64(bitPattern: $0)) }
            case RedoTag.text: bytes().map { .text(Array($0)) }
            case RedoTag.blob: bytes().map { .blob(Array($0)) }
            default: nil
            }
        return content.map { RedoValue(index: index, content: $0) }
    }

    private mutating func bytes() -> ArraySlice<UInt8>? {
        guard let count = number(4), count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    private mutating func number(_ count: Int) -> UInt64? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
