internal import Crypto
internal import KlingAPI
public import TaskStore

/// The last path segments of the addresses at which Kling calls the gateway: one per task, unguessable, and stored
/// nowhere. A token is the task's id and its HMAC-SHA256 under a key derived from the master key.
public struct CallbackTokens: Sendable {
    private let key: SymmetricKey

    /// Creates and reads the tokens of the vault's master key.
    public init(_ vault: Vault) { key = vault.callbackTokens }

    /// What precedes a token in the path of an address.
    static let path = "/callbacks/kling/"
    private static let idLength = 26

    /// The token of a task.
    public func token(of task: TaskID) -> String {
        let id = task.description
        return id + Base64.encode(HMAC<SHA256>.authenticationCode(for: Array(id.utf8), using: key), .urlSafe)
    }

    /// The task of a token; nil for any other text. A wrong code takes as long as a right one.
    public func task(of token: String) -> TaskID? {
        let text = token.utf8
        guard text.count > Self.idLength, let id = TaskID(String(token.prefix(Self.idLength))),
            text.starts(with: id.description.utf8), let code = Base64.decode(text.dropFirst(Self.idLength), .urlSafe),
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(id.description.utf8), using: key)
        else { return nil }
        return id
    }

    /// A path for the log, without the token that it may contain.
    static func withheld(from path: String) -> String {
        path.firstRange(of: Self.path.dropFirst()).map { String(path[..<$0.upperBound]) } ?? path
    }

    /// The `callback_url` that Kling gets for a task.
    /// - Parameter publicURL: the URL at which the gateway is reached, without a trailing slash.
    public func url(publicURL: String, task: TaskID) -> String { publicURL + Self.path + token(of: task) }
}
