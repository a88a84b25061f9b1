internal import Base
internal import Hashing

/// The trailer of a body's file, which shows whether the body is intact: its length and its checksum.
struct SpoolSeal: Equatable, CustomStringConvertible {
    /// How many bytes a seal has in a file.
    static let byteCount = mark.count + 8 + ContentDigest.byteCount
    /// No body contains the control bytes around the name, because JSON does not allow them.
    private static let mark = [0x00] + Array("KGBODY".utf8) + [0x01]

    let length: Int
    let digest: ContentDigest

    /// The seal of a body.
    init(_ body: [ByteSlice]) {
        length = body.reduce(0) { $0 + $1.count }
        digest = ContentDigest(of: body)
    }

    /// Reads the seal at the end of a file; nil if there is none, as in files of the first versions.
    init?(endOf file: Bytes) {
        guard file.count >= Self.byteCount else { return nil }
        let end = unsafe ByteSlice(file, file.count - Self.byteCount..<file.count).withUnsafeBytes { unsafe Array($0) }
        guard end.starts(with: Self.mark), let digest = ContentDigest(bytes: end.suffix(ContentDigest.byteCount)) else {
            return nil
        }
        let length = end[Self.mark.count..<Self.mark.count + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.length = Int(clamping: length)
        self.digest = digest
    }

    /// The seal as it is written.
    var bytes: [UInt8] {
        Self.mark + (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) } + digest.bytes
    }

    var description: String { "\(length) bytes with the checksum \(digest)" }

    /// Extracts a body from its file.
    /// - Parameters:
    ///   - length: how many bytes the task's record says it has.
    ///   - name: the file's name, for the operator.
    /// - Throws: `damaged`, with what was found and what was expected.
    static func body(in file: Bytes, expecting length: Int, name: String) throws(SpoolError) -> ByteSlice {
        try verify(file, expecting: length, name: name)
        // Code that reads the whole block must find only the body.
        file.shorten(to: length)
        return ByteSlice(file, 0..<length)
    }

    /// Verifies that a file is what was written, and belongs to its task. The parameters are those of
    /// ``body(in:expecting:name:)``.
    /// - Throws: `damaged`, with what was found and what was expected.
    static func verify(_ file: Bytes, expecting length: Int, name: String) throws(SpoolError) {
        guard let sealed = SpoolSeal(endOf: file) else {
            if file.count == length { return }
            throw SpoolError(.damaged, "\(name) is damaged: found \(file.count) bytes, expected \(length)")
        }
        let found = SpoolSeal([ByteSlice(file, 0..<file.count - byteCount)])
        guard found == sealed else {
            throw SpoolError(.damaged, "\(name) is damaged: found \(found), expected \(sealed)")
        }
        guard length == sealed.length else {
            throw SpoolError(.damaged, "\(name) belongs to another body: found \(found), expected \(length) bytes")
        }
    }
}
