internal import Base
internal import Crypto
internal import KlingAPI
internal import TaskStore

/// Identifies the account behind a name by its configuration: digests of the host and of the access key or API key. The
/// secret key and the path may change without changing the identity.
///
/// New keys may belong to the same account or to another one; only the account's answers can tell. If the account
/// finds a task that was created with an earlier key, the task is its own. If it doesn't, that proves nothing.
struct AccountIdentity: Sendable, Hashable {
    /// The number in the store: the host's digest in the upper half, the key's in the lower.
    let number: Int64

    init(baseURL: String, _ credential: Account.Credential) {
        let host = BaseURL(baseURL).map { "\($0.host):\($0.port)" } ?? baseURL
        let key =
            switch credential {
            case .tokens(let signer): signer.accessKey
            case .apiKey(let key): key.reveal()
            }
        number = Self.digest(host) << 32 | Self.digest(key)
    }

    /// Whether the identity `other` is at the same host, where task ids are unique.
    func hasHost(of other: Int64) -> Bool { other >> 32 == number >> 32 }

    /// The first 32 bits of the text's SHA-256.
    private static func digest(_ text: String) -> Int64 {
        SHA256.hash(data: Array(text.utf8)).prefix(4).reduce(0) { $0 << 8 | Int64($1) }
    }
}

/// How a task's account relates to the account that now has its name.
enum AccountMatch: Sendable {
    /// The task was sent to it.
    case same(Account)
    /// The task was sent under this name to the same host with another key: to this account or to another one.
    case rekeyed(Account)
    /// The task's account is no longer configured, or its name now stands for an account at another host, or the task
    /// was never sent to an account.
    case none

    /// - Parameter account: the account that is configured under the name of the task's account.
    init(_ record: TaskRecord, _ account: Account?) {
        guard let account else {
            self = .none
            return
        }
        switch record.assignment?.identity {
        case nil, account.identity.number?: self = .same(account)
        case let other? where account.identity.hasHost(of: other): self = .rekeyed(account)
        default: self = .none
        }
    }

    /// The account to ask for the task.
    var account: Account? {
        switch self {
        case .same(let account), .rekeyed(let account): account
        case .none: nil
        }
    }
}
