import Foundation

/// What the library has recorded: the changes of a folder's files, what each one replaced, and what was synced.
///
/// `Library/power_cut.h` has the format.
struct UndoLog: Sendable {
    /// One record.
    enum Record: Sendable, Equatable {
        case change(UInt64, FileChange)
        /// What was written to a file before the position is safe: all of it, or only a range of bytes.
        case sync(file: UInt64, range: Range<Int>?, through: Int)
        case names(NameChange)
        case folderSync(path: String, through: Int)
        case fullSync(through: Int)
    }

    let records: [Record]

    /// Reads the log in `folder`. If there is none, nothing was changed.
    /// - Throws: a ``Complaint`` if the program did something that the library cannot undo.
    init(folder: URL) throws {
        let file = folder.appending(path: "log")
        let isThere = FileManager.default.fileExists(atPath: file.path)
        try self.init(isThere ? Data(contentsOf: file) : Data())
    }

    /// Reads a log. If its last record is not whole, the change after it was not made.
    init(_ bytes: Data) throws {
        var records: [Record] = []
        var position = 0
        while let header = Header(bytes, at: position), position + header.size <= bytes.count {
            let start = bytes.startIndex + position
            records.append(try header.record(position, bytes[start + Header.count..<start + header.size]))
            position += header.size
        }
        self.records = records
    }

    /// A call that is not modeled, in the watched folder.
    struct Complaint: Error, CustomStringConvertible {
        let call: String
        var description: String { "no power cut is possible: the program called \(call), which is not modeled" }
    }

    /// `struct record`.
    private struct Header {
        static let count = 64
        let size, kind: Int
        let file, other: UInt64
        let offset, length, before, through: Int

        init?(_ bytes: Data, at position: Int) {
            guard position + Self.count <= bytes.count else { return nil }
            func number(_ index: Int) -> UInt64 {
                bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position + index * 8, as: UInt64.self) }
            }
            func signed(_ index: Int) -> Int { Int(truncatingIfNeeded: number(index)) }
            (size, kind, file, other) = (signed(0), signed(1), number(2), number(3))
            (offset, length, before, through) = (signed(4), signed(5), signed(6), signed(7))
            guard size >= Self.count else { return nil }
        }

        func record(_ position: Int, _ rest: Data) throws -> Record {
            switch kind {
            case 1:
                let written = FileChange.Kind.write(offset..<offset + length)
                return .change(file, FileChange(position: position, kind: written, before: before, old: [UInt8](rest)))
            case 2:
                return .change(
                    file, FileChange(position: position, kind: .resize(offset), before: before, old: [UInt8](rest)))
            case 3: return .sync(file: file, range: length < 0 ? nil : offset..<offset + length, through: through)
            case 4:
                let paths = rest.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                let entries = zip(paths, [file, other]).map { NameChange.Entry(path: $0, old: $1) }
                return .names(NameChange(position: position, entries: entries, isFolder: offset == 1))
            case 5: return .folderSync(path: String(decoding: rest, as: UTF8.self), through: through)
            case 6: return .fullSync(through: through)
            default: throw Complaint(call: String(decoding: rest, as: UTF8.self))
            }
        }
    }
}

/// A change of a file's content or size.
struct FileChange: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case write(Range<Int>)
        /// To that size.
        case resize(Int)
    }

    /// Where its record is in the log.
    let position: Int
    let kind: Kind
    /// The size of the file before.
    let before: Int
    /// The bytes that were replaced, or cut off.
    let old: [UInt8]

    /// The new size, if the file was made shorter.
    var cut: Int? {
        if case .resize(let size) = kind, size < before { return size }
        return nil
    }
}

/// A change of what one name stands for, or two.
struct NameChange: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let path: String
        /// The inode number of what it stood for before; 0 for nothing.
        let old: UInt64

        var folder: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
    }

    let position: Int
    let entries: [Entry]
    /// Whether the name stood for a folder.
    let isFolder: Bool
}
