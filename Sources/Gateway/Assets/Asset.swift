internal import Base
internal import Crypto

/// A picture that a tenant has uploaded. The name of its file contains all that is known about it.
struct Asset: Sendable, Hashable {
    /// The end of its link: unguessable characters and the format's suffix.
    let name: String
    let owner: AssetOwner
    let bytes: Int
    /// Milliseconds since 1970.
    let createdAt: Int64

    /// Creates an asset with a new name.
    init(_ format: PictureFormat, owner: AssetOwner, bytes: Int, createdAt: Int64) {
        self.init(name: LinkName.random() + format.suffix, owner: owner, bytes: bytes, createdAt: createdAt)
    }

    init(name: String, owner: AssetOwner, bytes: Int, createdAt: Int64) {
        self.name = name
        self.owner = owner
        self.bytes = bytes
        self.createdAt = createdAt
    }

    /// The media type of the picture, by its name.
    var mediaType: String { PictureFormat(fileName: name)?.mediaType ?? "application/octet-stream" }

    // MARK: The file

    /// The name of the file. While it is written, it is called ``draft``.
    var file: String { "\(owner.digits)-\(createdAt)-\(name)" }
    var draft: String { file + Self.draftSuffix }

    private static let draftSuffix = ".part"

    /// Whether a file has the name of a draft, which was not written completely.
    static func isDraft(_ file: String) -> Bool {
        file.hasSuffix(draftSuffix) && Asset(file: String(file.dropLast(draftSuffix.count)), bytes: 0) != nil
    }

    /// Parses the name of a file; nil if it is not an asset's.
    init?(file: String, bytes: Int) {
        let parts = file.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let owner = AssetOwner(digits: String(parts[0])), let time = Int64(parts[1]),
            PictureFormat.isLinkName(parts[2])
        else { return nil }
        self.init(name: String(parts[2]), owner: owner, bytes: bytes, createdAt: time)
    }
}

/// The owner of an asset, as part of a file name: the beginning of the SHA-256 of the tenant's name, which may contain
/// characters that don't belong in a file name.
struct AssetOwner: Sendable, Hashable {
    /// 32 hexadecimal digits.
    let digits: String

    init(tenant: String) {
        let hash = SHA256.hash(data: Array(tenant.utf8))
        let letters = Array("0123456789abcdef".utf8)
        digits = String(
            decoding: hash.prefix(16).flatMap { [letters[Int($0 >> 4)], letters[Int($0 & 15)]] }, as: UTF8.self)
    }

    init?(digits: String) {
        guard digits.utf8.count == 32,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.digits = digits
    }
}
