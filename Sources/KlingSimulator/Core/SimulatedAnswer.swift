public import Base
internal import KlingAPI

/// What goes out in answer to a request, sound or not.
public struct SimulatedAnswer: Sendable {
    /// How it is delivered.
    public enum Delivery: Sendable, Hashable {
        /// As HTTP asks for.
        case sound
        /// Not at all.
        case silence
        /// The body as it is, in place of an answer; the connection is closed after it, or reset.
        case wire(isReset: Bool)
    }

    /// The HTTP status; without meaning unless the delivery is sound.
    public var status: Int
    /// The header fields that are the simulator's business.
    public var headers: [(name: String, value: String)] = []
    /// The body, in pieces that are sent one after the other.
    public var body: [ByteSlice]
    /// How it is delivered.
    public var delivery = Delivery.sound
    /// How long it is held back, in milliseconds.
    public var delay = 0

    init(status: Int, contentType: String, body: [UInt8]) {
        self.status = status
        headers = [(name: "Content-Type", value: contentType)]
        self.body = [ByteSlice(Bytes(body), 0..<body.count)]
    }

    /// JSON with a status.
    init(status: Int = 200, json: [UInt8]) {
        self.init(status: status, contentType: "application/json; charset=utf-8", body: json)
    }

    /// Success.
    init(data: [UInt8], requestID: String) {
        self.init(json: Envelope.success(requestID: requestID, data: data))
    }

    /// A refusal.
    init(_ refusal: SimulatedRefusal, requestID: String) {
        let body = Envelope.failure(refusal.code, message: refusal.message, requestID: requestID)
        self.init(status: refusal.code.httpStatus, json: body)
    }
}
