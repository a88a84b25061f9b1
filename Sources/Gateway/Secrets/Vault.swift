public import Base
internal import Crypto

/// Why a sealed value can't be opened.
public struct VaultError: Error, Hashable, CustomStringConvertible {
    let purpose: Vault.Purpose
    let record: String

    public var description: String {
        "the master key does not fit the store: the \(purpose.rawValue) of \(record) was sealed with another one, or changed"
    }
}

/// Seals secrets that the store must be able to give back: AES-256-GCM, with a separate key for each purpose.
///
/// A sealed value is a version byte, the nonce, the ciphertext and the tag. It can be opened only for the purpose and
/// the record that it was sealed for. Moved to another record, it fails to open, as if it had been changed.
public struct Vault: Sendable {
    /// What a secret is for.
    public enum Purpose: String, Sendable, Hashable, CaseIterable {
        /// The secret key of an access key; its record is the key's id.
        case secretKey = "secret key"
        /// The secret that signs deliveries to a tenant; its record is the tenant's name.
        case webhookSecret = "webhook secret"
    }

    private static let version: UInt8 = 1

    private let secretKeys: SymmetricKey
    private let webhookSecrets: SymmetricKey
    /// The key for ``CallbackTokens``.
    let callbackTokens: SymmetricKey
    /// Tells vaults of different master keys apart. Nothing can be computed from it.
    public let mark: [UInt8]

    /// Creates a vault that seals under `masterKey`.
    public init(_ masterKey: MasterKey) {
        secretKeys = masterKey.derived(for: Purpose.secretKey.rawValue)
        webhookSecrets = masterKey.derived(for: Purpose.webhookSecret.rawValue)
        callbackTokens = masterKey.derived(for: "callback token")
        // The key lends its own memory.
        mark = unsafe masterKey.derived(for: "mark").withUnsafeBytes { unsafe Array($0) }
    }

    /// Seals a secret for `record`.
    public func seal(_ secret: Secret, _ purpose: Purpose, of record: String) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(
                Array(secret.reveal().utf8), using: key(purpose), authenticating: Self.label(purpose, record))
            return [Self.version] + Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
        } catch {
            // The key has 32 bytes, and `seal` makes the nonce. Nothing else can make it fail.
            fatalError("AES-GCM refuses to seal")
        }
    }

    /// Opens a value that was sealed for `record`.
    public func open(_ sealed: [UInt8], _ purpose: Purpose, of record: String) throws(VaultError) -> Secret {
        do {
            guard sealed.first == Self.version else { throw CryptoKitError.authenticationFailure }
            let box = try AES.GCM.SealedBox(combined: Array(sealed.dropFirst()))
            let bytes = try AES.GCM.open(box, using: key(purpose), authenticating: Self.label(purpose, record))
            return Secret(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw VaultError(purpose: purpose, record: record)
        }
    }

    private func key(_ purpose: Purpose) -> SymmetricKey {
        switch purpose {
        case .secretKey: secretKeys
        case .webhookSecret: webhookSecrets
        }
    }

    private static func label(_ purpose: Purpose, _ record: String) -> [UInt8] {
        Array(purpose.rawValue.utf8) + [0] + Array(record.utf8)
    }
}
