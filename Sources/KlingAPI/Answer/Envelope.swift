/// Writes Kling's envelope.
public enum Envelope {
    /// The `error` object beside Kling's members, which is all that OpenAI-style clients read.
    public struct ErrorObject: Sendable, Hashable {
        public var message: String
        public var type: String
        public var param: String?
        public var code: String?
        /// The id by which the client can query a task whose outcome is unknown.
        public var taskID: String?

        public init(message: String, type: String, param: String? = nil, code: String? = nil, taskID: String? = nil) {
            self.message = message
            self.type = type
            self.param = param
            self.code = code
            self.taskID = taskID
        }

        /// The object as JSON.
        public var json: [UInt8] { JSONWriter.object { write(to: &$0) } }

        /// Writes the members into an open object.
        public func write(to writer: inout JSONWriter) {
            writer.member("message", message)
            writer.member("type", type)
            writer.member("param", orNull: param)
            writer.member("code", orNull: code)
            writer.member("task_id", ifPresent: taskID)
        }
    }

    /// A success answer; `data` is JSON.
    public static func success(
        message: String = KlingCode.ok.meaning, requestID: String, data: some Collection<UInt8>
    ) -> [UInt8] {
        JSONWriter.object(capacity: data.count + 128) { writer in
            writer.member("code", KlingCode.ok.rawValue)
            writer.member("message", message)
            writer.member("request_id", requestID)
            writer.member("data", json: data)
        }
    }

    /// The text around the elements of a success answer whose `data` is an array. `head` ends with the opening bracket,
    /// and `tail` starts with the closing one.
    public static func arrayFrame(requestID: String) -> (head: [UInt8], tail: [UInt8]) {
        let empty = success(requestID: requestID, data: "[]".utf8)
        return (Array(empty.dropLast(2)), Array(empty.suffix(2)))
    }

    /// A failure answer, with an `error` object if one is given.
    public static func failure(
        _ code: KlingCode, message: String, requestID: String, error: ErrorObject? = nil
    ) -> [UInt8] {
        JSONWriter.object { writer in
            writer.member("code", code.rawValue)
            writer.member("message", message)
            writer.member("request_id", requestID)
            if let error { writer.object("error") { error.write(to: &$0) } }
        }
    }
}
