internal import Base
internal import CZlib

/// The bytes of an ICC profile (ICC.1:2022), reduced to what browsers read.
///
/// Other tags are removed, especially those with multi-process elements, with which a small file can demand any amount
/// of memory and time.
struct ColorProfile {
    /// What the samples are.
    enum Space: Sendable, Hashable { case gray, rgb, cmyk }

    let bytes: [UInt8]
    let space: Space

    /// Reads a profile; nil if `encoding` is not a profile, or if the profile is broken, too large or unsupported.
    init?(_ encoding: ColorEncoding, in file: ByteSlice, _ limits: PictureLimits) {
        let whole: [UInt8]? =
            switch encoding {
            case .profile(let pieces): Self.joined(pieces, file, limits.profileBytes)
            case .compressedProfile(let range): Self.unpacked(file.part(range), limits.profileBytes)
            case .codes, .measured: nil
            }
        guard let whole, let space = Self.space(whole), let bytes = Self.reduced(whole) else { return nil }
        (self.bytes, self.space) = (bytes, space)
    }

    private static func joined(_ pieces: [Range<Int>], _ file: ByteSlice, _ limit: Int) -> [UInt8]? {
        guard pieces.reduce(0, { $0 + $1.count }) <= limit else { return nil }
        return file.withBytes { bytes in pieces.flatMap { piece in piece.map { bytes[$0] } } }
    }

    private static func unpacked(_ part: ByteSlice, _ limit: Int) -> [UInt8]? {
        guard let space = Bytes(reserving: limit) else { return nil }
        let status = unsafe space.append { (target) -> Int in
            var count = uLong(target.count)
            // The library reads no more than the part, and writes no more than `count` bytes.
            let status = unsafe part.withUnsafeBytes { source in
                unsafe uncompress(
                    target.bindMemory(to: UInt8.self).baseAddress, &count,
                    source.bindMemory(to: UInt8.self).baseAddress, uLong(source.count))
            }
            return status == Z_OK ? Int(count) : 0
        }
        guard status > 0 else { return nil }
        return ByteSlice(space, 0..<status).withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    // MARK: Contents

    private static let header = 128
    private static let entry = 12
    private static let maxTags = 100
    private static let kinds: [StaticString] = ["mntr", "scnr", "prtr", "spac"]
    private static let tags: [StaticString] = [
        "A2B0", "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC", "wtpt", "chad",
    ]

    private static func space(_ profile: [UInt8]) -> Space? {
        let bytes = profile.span
        guard bytes.has("acsp", at: 36), kinds.contains(where: { bytes.has($0, at: 12) }) else { return nil }
        if bytes.has("RGB ", at: 16) { return .rgb }
        if bytes.has("CMYK", at: 16) { return .cmyk }
        return bytes.has("GRAY", at: 16) ? .gray : nil
    }

    /// `profile` with only the listed tags in its table.
    private static func reduced(_ profile: [UInt8]) -> [UInt8]? {
        let bytes = profile.span
        guard let size = bytes.bigEndian(4, at: 0), size <= profile.count, let count = bytes.bigEndian(4, at: header),
            count <= maxTags, header + 4 + count * entry <= size
        else { return nil }
        let entries = (0..<count).map { header + 4 + $0 * entry }
        let kept = entries.filter { entry in tags.contains { bytes.has($0, at: entry) } }
        let table = big(kept.count) + kept.flatMap { profile[$0..<$0 + entry] }
        return profile[..<header] + table + profile[(header + table.count)..<size]
    }

    private static func big(_ number: Int) -> [UInt8] {
        (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
