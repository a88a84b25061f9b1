public import Base
internal import Crypto
internal import KlingAPI

/// Why the master key can't be used.
public enum MasterKeyError: Error, Hashable, CustomStringConvertible {
    /// The text has fewer than ``MasterKey/minBytes`` bytes.
    case tooShort
    /// The file can't be read or created.
    case file(String, SystemCallError)
    /// The file is larger than any key, or not text.
    case notAKey(String)

    public var description: String {
        switch self {
        case .tooShort:
            "the master key has fewer than \(MasterKey.minBytes) bytes; make one with: openssl rand -base64 32"
        case .file(let path, let error): "the master key \(path): \(error)"
        case .notAKey(let path): "the master key \(path) is not a line of text; make one with: openssl rand -base64 32"
        }
    }
}

/// The secret that all other secrets in the store are sealed with.
public struct MasterKey: Sendable {
    /// The minimum length of the text, in bytes.
    public static let minBytes = 16

    private let material: SymmetricKey

    /// Creates a master key from a secret text of at least ``minBytes`` bytes.
    public init(_ text: Secret) throws(MasterKeyError) {
        let bytes = Array(text.reveal().utf8)
        guard bytes.count >= Self.minBytes else { throw .tooShort }
        material = SymmetricKey(data: bytes)
    }

    /// Reads the key in the file at `path`, or creates one there: 32 random bytes in base64, readable only by the
    /// owner.
    ///
    /// Two processes that do so at once get the same key. Blocks the thread.
    public init(readingOrCreating path: String) throws(MasterKeyError) {
        try self.init(MasterKeyFile(path: path).readOrMake())
    }

    /// A key for one purpose, from which neither the master key nor the key for another purpose can be computed (HKDF,
    /// RFC 5869).
    func derived(for purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: material, info: Array("kling-gateway 1 \(purpose)".utf8), outputByteCount: 32)
    }
}
