public import KlingAPI

/// The error that a client gets instead of a result.
///
/// The message says what was wrong and what to do. It never contains a stack trace, a file name, a key, an account's
/// name or an address.
///
/// Every call that may fail reserves room for one, so its ``Fields`` are on the heap.
@dynamicMemberLookup
public struct GatewayError: Error, Sendable {
    private final class Storage: Sendable {
        let fields: Fields
        init(_ fields: Fields) { self.fields = fields }
    }

    private var storage: Storage

    public subscript<Value>(dynamicMember member: KeyPath<Fields, Value>) -> Value { storage.fields[keyPath: member] }

    public subscript<Value>(dynamicMember member: WritableKeyPath<Fields, Value>) -> Value {
        get { storage.fields[keyPath: member] }
        set {
            var fields = storage.fields
            fields[keyPath: member] = newValue
            storage = Storage(fields)
        }
    }

    /// The contents of an error.
    public struct Fields: Sendable {
        /// The row of the table that applies.
        public let cause: Cause
        /// A sentence or two for the client.
        public var message: String
        /// The member, parameter or header in question.
        public var parameter: String?
        /// `Retry-After` in seconds, in place of the table's; at most 60 is sent.
        public var retryAfter: Int?
        /// The id by which a task whose outcome is unknown can be queried.
        public var taskID: String?
        /// The number of that task's job, if it has one.
        public var job: Int64?
        /// More header fields, such as `Allow` or the limits of a key.
        public var headers: [(name: String, value: String)] = []
        /// For ``Cause/refused``: Kling's answer.
        public var refusal: Refusal?
    }

    /// Kling's answer to a request that it refused for good.
    public struct Refusal: Sendable {
        /// Kling's HTTP status.
        public var status: Int
        /// Kling's service code.
        public var code: KlingCode
        /// Kling's id of the request.
        public var requestID: String?
    }

    /// Creates an error of `cause`.
    public init(_ cause: Cause, _ message: String, parameter: String? = nil) {
        storage = Storage(Fields(cause: cause, message: message, parameter: parameter))
    }

    /// A member of the request is wrong.
    init(_ error: ParameterError) {
        let cause: Cause =
            error == .noMemory
            ? .noMemory
            : error.code == .invalidRequest
                ? .malformedBody : error.parameter == "model_name" ? .unknownModel : .badParameter
        self.init(cause, error.message, parameter: error.parameter)
    }

    /// The same error in the vocabulary of another shape, if it is about one of these members.
    /// - Parameter names: by Kling's member, its name in that shape. It also replaces Kling's name at the start of the
    ///   message.
    func renamed(_ names: [String: String]) -> GatewayError {
        guard let parameter = self.parameter, let name = names[parameter] else { return self }
        var error = self
        error.parameter = name
        if self.message.hasPrefix(parameter + " ") { error.message = name + self.message.dropFirst(parameter.count) }
        return error
    }

    /// Kling refused a request for good.
    init(status: Int, answer: KlingAnswer, message: String) {
        self.init(.refused, message)
        self.refusal = Refusal(status: status, code: answer.code, requestID: answer.requestID)
    }

    /// No account accepts a request, as its upstream has said without Kling's envelope. The message is the gateway's
    /// own.
    init(_ answer: BareAnswer) {
        let advice =
            switch answer.httpStatus {
            case 413: "it is too large for this account. Send pictures as URLs, or smaller ones."
            case 414, 431: "it is too long for this account. Send shorter URLs."
            default: "this account does not take such a request."
            }
        self.init(.refused, "Kling's side has refused the request with HTTP \(answer.httpStatus): \(advice)")
        let status = (400...499).contains(answer.httpStatus) ? answer.httpStatus : 400
        self.refusal = Refusal(status: status, code: .invalidRequest, requestID: nil)
    }

    /// A fault of the gateway itself. The client learns only the request id.
    static let internalFault = GatewayError(
        .internalFault, "The gateway has failed. Tell its operator the request id of this answer.")

    /// There is no such task, but it may be one that is being looked up.
    static let lookUpsOpen = GatewayError(
        .lookUpsOpen,
        "The gateway has just started and is still looking up your creates. Query the task again in a second.")

    /// The task doesn't exist, or belongs to another tenant.
    static let unknownTask = GatewayError(
        .unknownTask, "There is no such task. Check the id, and use a key of the tenant that created the task.")
}
