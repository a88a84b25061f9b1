internal import Base
internal import Crypto
internal import KlingAPI
internal import TaskStore

/// Which account a name stands for, as far as its configuration shows: digests of the host and of the access key or API
/// key. The secret key and the path may change with the account staying the same.
///
/// New keys may be the same account's or another one's. That cannot be seen from here, only asked: what an account has, it
/// has; but that it doesn't know a task of an earlier key proves nothing.
struct AccountIdentity: Sendable, Hashable {
    /// The number that stands in the store: the host's digest in its upper half, the key's in its lower.
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

    /// Whether that other one is at the same host, where no two tasks have one id.
    func hasHost(of other: Int64) -> Bool { other >> 32 == number >> 32 }

    /// 32 bits.
    private static func digest(_ text: String) -> Int64 {
        SHA256.hash(data: Array(text.utf8)).prefix(4).reduce(0) { $0 << 8 | Int64($1) }
    }
}

/// How an account of today stands to a task.
enum AccountMatch: Sendable {
    /// The task was sent to it.
    case same(Account)
    /// The task was sent under its name to the same host with another key: to it, or to another account.
    case rekeyed(Account)
    /// Its account is configured no more, or its name stands for one at another host; or it was sent to none.
    case none

    /// - Parameter account: the account that has the name of the task's today.
    init(_ record: TaskRecord, _ account: Account?) {
        guard let account else {
            self = .none
            return
        }
        switch record.accountIdentity {
        case nil, account.identity.number?: self = .same(account)
        case let other? where account.identity.hasHost(of: other): self = .rekeyed(account)
        default: self = .none
        }
    }

    /// The account that may be asked for the task.
    var account: Account? {
        switch self {
        case .same(let account), .rekeyed(let account): account
        case .none: nil
        }
    }
}
