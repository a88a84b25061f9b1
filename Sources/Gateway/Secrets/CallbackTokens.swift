internal import Crypto
internal import KlingAPI
public import TaskStore

/// The last path segments of the addresses that Kling calls the gateway at: one a task, which nobody can guess, and
/// which nothing needs to remember. A token is the task's id and its HMAC-SHA256 under a key of the master key's.
public struct CallbackTokens: Sendable {
    private let key: SymmetricKey

    /// Makes and reads the tokens of a master key.
    public init(_ vault: Vault) { key = vault.callbackTokens }

    /// What stands before a token in the path of an address.
    static let path = "/callbacks/kling/"
    private static let idLength = 26

    /// The token of a task.
    public func token(of task: TaskID) -> String {
        let id = task.description
        return id + Base64.encode(HMAC<SHA256>.authenticationCode(for: Array(id.utf8), using: key), .urlSafe)
    }

    /// The task whose token `token` is; nil for any other text. Takes as long for a wrong code as for a right one.
    public func task(of token: String) -> TaskID? {
        let text = token.utf8
        guard text.count > Self.idLength, let id = TaskID(String(token.prefix(Self.idLength))),
            text.starts(with: id.description.utf8), let code = Base64.decode(text.dropFirst(Self.idLength), .urlSafe),
            HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(id.description.utf8), using: key)
        else { return nil }
        return id
    }

    /// A path without the token that it may have: for the log.
    static func withheld(from path: String) -> String {
        path.firstRange(of: Self.path.dropFirst()).map { String(path[..<$0.upperBound]) } ?? path
    }

    /// What Kling is told as a task's `callback_url`.
    /// - Parameter publicURL: what the gateway is reached by, without a slash at the end.
    public func url(publicURL: String, task: TaskID) -> String { publicURL + Self.path + token(of: task) }
}
