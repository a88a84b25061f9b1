public import Hashing

/// Where a task stands. States only ever go forward, in the order given here.
public enum TaskState: Int, Sendable, CaseIterable, Comparable {
    /// Written before Kling is called; it isn't known yet whether Kling has the task.
    case intent = 0
    /// Told to the client, and waiting for an account that has room.
    case queued = 1
    /// Kling has it.
    case submitted = 2
    /// Kling works on it.
    case processing = 3
    /// Ended with a picture.
    case succeed = 4
    /// Ended without.
    case failed = 5
    /// Ended before any client was told of it: no query and no list shows it.
    case refused = 6

    /// Whether nothing will change any more.
    public var isFinal: Bool { self >= .succeed }

    public static func < (one: TaskState, other: TaskState) -> Bool { one.rawValue < other.rawValue }
}

/// What an operator should know about an unfinished task.
public struct TaskFlags: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Kling hasn't known the task for a day, or it is a day since its account, configured no more, was heard of it.
    public static let stuck = TaskFlags(rawValue: 1)
    /// Nobody can tell whether Kling has the task: its account has no look-up, is configured no more, or has not said for a
    /// day.
    public static let unknown = TaskFlags(rawValue: 2)
}

/// What is known about a task: a snapshot, whose ``Fields`` are its members. Times are milliseconds since 1970.
///
/// The fields are kept on the heap. A record goes through many asynchronous calls, each of which would otherwise hold a
/// copy of 360 bytes and a reference to each of its texts.
@dynamicMemberLookup
public struct TaskRecord: Sendable, Equatable {
    private final class Storage: Sendable {
        let fields: Fields
        init(_ fields: Fields) { self.fields = fields }
    }

    private var storage: Storage

    /// The record of what is known.
    init(_ fields: Fields) { storage = Storage(fields) }

    /// All that is known.
    var fields: Fields { storage.fields }

    public subscript<Value>(dynamicMember member: KeyPath<Fields, Value>) -> Value { storage.fields[keyPath: member] }

    /// To change several fields, change ``fields`` and make a record of them: each change of one makes new storage.
    subscript<Value>(dynamicMember member: WritableKeyPath<Fields, Value>) -> Value {
        get { storage.fields[keyPath: member] }
        set {
            var fields = storage.fields
            fields[keyPath: member] = newValue
            storage = Storage(fields)
        }
    }

    public static func == (one: TaskRecord, other: TaskRecord) -> Bool {
        one.storage === other.storage || one.storage.fields == other.storage.fields
    }

    /// The fields of a record.
    public struct Fields: Sendable, Equatable {
        /// The gateway's id, which is also Kling's `external_task_id`.
        public let id: TaskID
        /// Who may see the task.
        public let tenant: String
        /// The client's own `external_task_id`.
        public let externalTaskID: String?
        public let model: String
        /// The client's own `callback_url`.
        public let callbackURL: String?
        /// The key that the create came with.
        public let keyID: String?
        /// The client's `Idempotency-Key`.
        public let idempotencyKey: String?
        public let createdAt: Int64
        /// The job that the task is a part of.
        public let job: JobPlace?
        /// What the create was sent with, if that is remembered until its answer was read.
        public let content: ContentDigest?
        /// In whose words the client is called back, as the gateway names them; nil: in those of Kling's older API.
        public let shape: String?

        /// The account that has the task, or is about to be sent it; nil: none was chosen.
        public internal(set) var account: String?
        /// Which account that name stood for then; nil: not known.
        public internal(set) var accountIdentity: Int64?
        /// Which of Kling's APIs the account was spoken to by, as the gateway names them; nil: there was but one.
        public internal(set) var api: String?
        public internal(set) var state: TaskState = .intent
        public internal(set) var flags: TaskFlags = []
        /// The place among the tenant's tasks, dense from 1: given when the client is first told of the task.
        public internal(set) var number: Int64?
        /// The `task_id` that the client was told. Once there, it never changes.
        public internal(set) var publicID: String?
        /// Kling's `task_id`.
        public internal(set) var upstreamID: String?
        /// Kling's own word for the state, which may be none of ``TaskState``.
        public internal(set) var statusWord = ""
        /// Kling's last `data` object, as it came.
        public internal(set) var answer: [UInt8]?
        /// Whether the client may use its `external_task_id` again: the create was refused, or never reached Kling.
        public internal(set) var isReleased = false
        public internal(set) var updatedAt: Int64
        /// When the task ended.
        public internal(set) var finishedAt: Int64?
        /// The bytes of the request that is kept outside of the store until Kling has the task; 0: there is none.
        public internal(set) var payload = 0
    }
}

/// A task about to be sent to Kling.
public struct NewTask: Sendable, Equatable {
    public var id: TaskID
    public var tenant: String
    /// The account that is called next; nil: none is chosen yet.
    public var account: String?
    /// Which account that name stands for.
    public var accountIdentity: Int64?
    /// Which of Kling's APIs the account is spoken to by.
    public var api: String?
    /// The client's own `external_task_id`, claimed with the record.
    public var externalTaskID: String?
    public var model: String
    public var callbackURL: String?
    /// The key that the create came with.
    public var keyID: String?
    /// The client's `Idempotency-Key`, claimed with the record.
    public var idempotency: IdempotencyKey?
    /// What the create was sent with, to be remembered until its answer was read; nil: it need not be.
    public var content: ContentDigest?
    /// In whose words the client is called back.
    public var shape: String?
    /// Milliseconds since 1970.
    public var createdAt: Int64

    public init(
        id: TaskID, tenant: String, account: String?, accountIdentity: Int64? = nil, api: String? = nil,
        externalTaskID: String? = nil, model: String, callbackURL: String? = nil, keyID: String? = nil,
        idempotency: IdempotencyKey? = nil,
        content: ContentDigest? = nil, shape: String? = nil, createdAt: Int64
    ) {
        self.id = id
        self.tenant = tenant
        self.account = account
        self.accountIdentity = accountIdentity
        self.api = api
        self.externalTaskID = externalTaskID
        self.model = model
        self.callbackURL = callbackURL
        self.keyID = keyID
        self.idempotency = idempotency
        self.content = content
        self.shape = shape
        self.createdAt = createdAt
    }
}

/// Kling's yes to a create, or a look-up's find.
public struct Acceptance: Sendable, Equatable {
    /// Kling's `task_id`.
    public var upstreamID: String
    /// The `task_id` to tell the client; kept only if the client wasn't told one before.
    public var publicID: String
    /// The state that Kling named: ``TaskState/submitted`` for words that nobody knows.
    public var state: TaskState
    /// Kling's own word.
    public var statusWord: String
    /// Kling's `data` object.
    public var answer: [UInt8]
    /// Milliseconds since 1970.
    public var at: Int64

    public init(
        upstreamID: String, publicID: String, state: TaskState, statusWord: String, answer: [UInt8], at: Int64
    ) {
        self.upstreamID = upstreamID
        self.publicID = publicID
        self.state = state
        self.statusWord = statusWord
        self.answer = answer
        self.at = at
    }
}

/// What was seen of a task: by a query, a list, a callback, or the gateway itself.
public struct Observation: Sendable, Equatable {
    /// The state that was seen; nil for a word that nobody knows, which leaves the state as it is.
    public var state: TaskState?
    /// Kling's own word.
    public var statusWord: String
    /// Kling's `data` object; nil keeps the one before.
    public var answer: [UInt8]?
    /// Milliseconds since 1970.
    public var at: Int64
    /// Whether it means nothing once Kling has the task: the gateway's own word that Kling never had it.
    public var yieldsToAcceptance: Bool

    public init(
        state: TaskState?, statusWord: String, answer: [UInt8]?, at: Int64, yieldsToAcceptance: Bool = false
    ) {
        self.state = state
        self.statusWord = statusWord
        self.answer = answer
        self.at = at
        self.yieldsToAcceptance = yieldsToAcceptance
    }
}

/// Which tasks an operator asks for. Everything given must hold.
public struct TaskFilter: Sendable, Equatable {
    /// The owner; nil: any.
    public var tenant: String?
    /// Flags of which the task has at least one; empty: any or none.
    public var flags: TaskFlags
    /// Only tasks that haven't ended.
    public var isUnfinished: Bool

    public init(tenant: String? = nil, flags: TaskFlags = [], isUnfinished: Bool = false) {
        self.tenant = tenant
        self.flags = flags
        self.isUnfinished = isUnfinished
    }
}
