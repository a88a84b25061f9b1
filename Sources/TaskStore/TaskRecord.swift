public import Hashing

/// The state of a task. States only move forward, in the order given here.
public enum TaskState: Int, Sendable, CaseIterable, Comparable {
    /// Written before Kling is called; it isn't known yet whether Kling has the task.
    case intent = 0
    /// The client was told of it, and it waits for an account that has room.
    case queued = 1
    /// Kling has it.
    case submitted = 2
    /// Kling is working on it.
    case processing = 3
    /// Ended with a picture.
    case succeed = 4
    /// Ended without a picture.
    case failed = 5
    /// Ended before any client was told of it: no query and no list shows it.
    case refused = 6

    /// Whether the task has ended.
    public var isFinal: Bool { self >= .succeed }

    public static func < (one: TaskState, other: TaskState) -> Bool { one.rawValue < other.rawValue }
}

/// What an operator should know about an unfinished task.
public struct TaskFlags: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Kling has not known the task for a day, or its account is no longer configured and its last update is a day old.
    public static let stuck = TaskFlags(rawValue: 1)
    /// It is unknown whether Kling has the task: its account has no look-up, is no longer configured, or has given no
    /// answer for a day.
    public static let unknown = TaskFlags(rawValue: 2)
}

/// A snapshot of what is known about a task. Its members are those of ``TaskIntent`` and ``TaskLife``. Times are
/// milliseconds since 1970.
///
/// Both are kept on the heap. A record is passed through many async calls, each of which would otherwise hold a copy of
/// 360 bytes and a reference to each of its strings.
@dynamicMemberLookup
public struct TaskRecord: Sendable, Equatable {
    private final class Storage: Sendable {
        let intent: TaskIntent
        let life: TaskLife

        init(_ intent: TaskIntent, _ life: TaskLife) {
            self.intent = intent
            self.life = life
        }
    }

    private var storage: Storage

    /// Makes a record of its parts.
    init(_ intent: TaskIntent, _ life: TaskLife) { storage = Storage(intent, life) }

    /// Makes the record of a task that is about to be sent.
    init(_ task: NewTask, job: JobPlace? = nil) { self.init(TaskIntent(task, job: job), TaskLife(task)) }

    /// What was written before the task was sent.
    var intent: TaskIntent { storage.intent }

    /// What has happened to the task since then.
    var life: TaskLife { storage.life }

    public subscript<Value>(dynamicMember member: KeyPath<TaskIntent, Value>) -> Value {
        storage.intent[keyPath: member]
    }

    public subscript<Value>(dynamicMember member: KeyPath<TaskLife, Value>) -> Value { storage.life[keyPath: member] }

    /// Reads or changes one member. Each change allocates new storage: to change several members, change a copy of
    /// ``life`` and make a record of it.
    subscript<Value>(dynamicMember member: WritableKeyPath<TaskLife, Value>) -> Value {
        get { storage.life[keyPath: member] }
        set {
            var life = storage.life
            life[keyPath: member] = newValue
            storage = Storage(storage.intent, life)
        }
    }

    /// The name of the account that has the task or is about to be sent it; nil if none is chosen.
    public var account: String? { storage.life.assignment?.account }

    public static func == (one: TaskRecord, other: TaskRecord) -> Bool {
        one.storage === other.storage || one.intent == other.intent && one.life == other.life
    }
}

/// The part of a task's record that is written before the task is sent, and never changes.
public struct TaskIntent: Sendable, Equatable {
    /// The gateway's id, which is also Kling's `external_task_id`.
    public let id: TaskID
    /// The tenant whose keys may see the task.
    public let tenant: String
    /// The client's own `external_task_id`.
    public let externalTaskID: String?
    public let model: String
    /// The client's own `callback_url`.
    public let callbackURL: String?
    /// The id of the key that the create was sent with.
    public let keyID: String?
    /// The client's `Idempotency-Key`.
    public let idempotencyKey: String?
    public let createdAt: Int64
    /// The job that the task is a part of.
    public let job: JobPlace?
    /// A digest of the create's content, if it is remembered until its answer is read.
    public let content: ContentDigest?
    /// The API shape in which the client is called back, by the gateway's name for it; nil: that of Kling's older API.
    public let shape: String?
    /// The day on which the task counts, from 1970-01-01, in the tenant's time zone.
    public let day: Int
    /// The size of the create's body.
    public let bytes: Int
}

extension TaskIntent {
    fileprivate init(_ task: NewTask, job: JobPlace?) {
        self.init(
            id: task.id, tenant: task.tenant, externalTaskID: task.externalTaskID, model: task.model,
            callbackURL: task.callbackURL, keyID: task.keyID, idempotencyKey: task.idempotency?.key,
            createdAt: task.createdAt, job: job, content: task.content, shape: task.shape, day: task.day,
            bytes: task.bytes)
    }
}

/// The account that a task is sent to.
public struct Assignment: Sendable, Equatable {
    /// The account's name in the configuration.
    public var account: String
    /// Identifies the account that the name stood for then; nil if not known.
    public var identity: Int64?
    /// The one of Kling's APIs that the account is called through, by the gateway's name for it; nil in records from
    /// when there was only one.
    public var api: String?

    public init(account: String, identity: Int64? = nil, api: String? = nil) {
        self.account = account
        self.identity = identity
        self.api = api
    }
}

/// A task about to be sent to Kling.
public struct NewTask: Sendable, Equatable {
    public var id: TaskID
    public var tenant: String
    /// The account that is called next; nil if none is chosen yet.
    public var assignment: Assignment?
    /// The client's own `external_task_id`, claimed with the record.
    public var externalTaskID: String?
    public var model: String
    public var callbackURL: String?
    /// The id of the key that the create was sent with.
    public var keyID: String?
    /// The client's `Idempotency-Key`, claimed with the record.
    public var idempotency: IdempotencyKey?
    /// A digest of the create's content, remembered until its answer is read; nil if it need not be.
    public var content: ContentDigest?
    /// The API shape in which the client is called back.
    public var shape: String?
    /// The day on which the task counts, from 1970-01-01, in the tenant's time zone.
    public var day: Int
    /// What the task is expected to cost, in millionths of a unit.
    public var units: Int64
    /// The size of the create's body.
    public var bytes: Int
    /// Milliseconds since 1970.
    public var createdAt: Int64
    /// What the store checks because other processes make tasks too.
    public var shared = SharedChecks()

    /// - Parameter day: nil: the day of `createdAt` in UTC.
    public init(
        id: TaskID, tenant: String, assignment: Assignment?, externalTaskID: String? = nil, model: String,
        callbackURL: String? = nil, keyID: String? = nil, idempotency: IdempotencyKey? = nil,
        content: ContentDigest? = nil, shape: String? = nil, day: Int? = nil, units: Int64 = 1_000_000, bytes: Int = 0,
        createdAt: Int64
    ) {
        self.id = id
        self.tenant = tenant
        self.assignment = assignment
        self.externalTaskID = externalTaskID
        self.model = model
        self.callbackURL = callbackURL
        self.keyID = keyID
        self.idempotency = idempotency
        self.content = content
        self.shape = shape
        self.day = day ?? CivilDate.day(of: createdAt)
        self.units = units
        self.bytes = bytes
        self.createdAt = createdAt
    }
}

/// Kling's acceptance of a create, or a task found by a look-up.
public struct Acceptance: Sendable, Equatable {
    /// Kling's `task_id`.
    public var upstreamID: String
    /// The `task_id` to tell the client; ignored if the client was already told one.
    public var publicID: String
    /// The state that Kling named: ``TaskState/submitted`` for an unknown word.
    public var state: TaskState
    /// Kling's own word.
    public var statusWord: String
    /// Kling's `data` object.
    public var answer: [UInt8]
    /// What Kling has deducted for the task; nil if it does not say.
    public var charge: Charge?
    /// Milliseconds since 1970.
    public var at: Int64

    public init(
        upstreamID: String, publicID: String, state: TaskState, statusWord: String, answer: [UInt8],
        charge: Charge? = nil, at: Int64
    ) {
        self.upstreamID = upstreamID
        self.publicID = publicID
        self.state = state
        self.statusWord = statusWord
        self.answer = answer
        self.charge = charge
        self.at = at
    }
}

/// What was seen of a task: by a query, a list, a callback, or the gateway itself.
public struct Observation: Sendable, Equatable {
    /// The state that was seen; nil for an unknown word, which leaves the state unchanged.
    public var state: TaskState?
    /// Kling's own word.
    public var statusWord: String
    /// Kling's `data` object; nil keeps the previous one.
    public var answer: [UInt8]?
    /// What Kling has deducted for the task; nil if it does not say.
    public var charge: Charge?
    /// Milliseconds since 1970.
    public var at: Int64
    /// Whether it is ignored once Kling has the task, as for the gateway's own conclusion that Kling never had it.
    public var isIgnoredOnceAccepted: Bool

    public init(
        state: TaskState?, statusWord: String, answer: [UInt8]?, charge: Charge? = nil, at: Int64,
        isIgnoredOnceAccepted: Bool = false
    ) {
        self.state = state
        self.statusWord = statusWord
        self.answer = answer
        self.charge = charge
        self.at = at
        self.isIgnoredOnceAccepted = isIgnoredOnceAccepted
    }
}

/// Selects tasks for an operator. A task must match every value given.
public struct TaskFilter: Sendable, Equatable {
    /// The owner; nil: any.
    public var tenant: String?
    /// The task has at least one of these flags; empty: flags do not matter.
    public var flags: TaskFlags
    /// Only tasks that haven't ended.
    public var isUnfinished: Bool
    /// The state; nil: any.
    public var state: TaskState?

    public init(tenant: String? = nil, flags: TaskFlags = [], isUnfinished: Bool = false, state: TaskState? = nil) {
        self.tenant = tenant
        self.flags = flags
        self.isUnfinished = isUnfinished
        self.state = state
    }

    /// Whether it selects a task.
    public func matches(_ task: TaskRecord) -> Bool {
        (tenant == nil || tenant == task.tenant) && (state == nil || state == task.state)
            && (flags.isEmpty || !flags.isDisjoint(with: task.flags)) && !(isUnfinished && task.state.isFinal)
    }
}
