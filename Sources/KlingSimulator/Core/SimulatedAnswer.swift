public import Base
internal import KlingAPI

/// The answer to a request, which may be faulty.
public struct SimulatedAnswer: Sendable {
    /// How it is delivered.
    public enum Delivery: Sendable, Hashable {
        /// As a valid HTTP response.
        case intact
        /// Not at all.
        case silence
        /// The raw body in place of an HTTP response; the connection is then closed or reset.
        case wire(isReset: Bool)
    }

    /// The HTTP status; only meaningful if the delivery is `intact`.
    public var status: Int
    /// The header fields that the simulator sets itself.
    public var headers: [(name: String, value: String)] = []
    /// The body, in pieces that are sent in order.
    public var body: [ByteSlice]
    /// How it is delivered.
    public var delivery = Delivery.intact
    /// How long it is delayed, in milliseconds.
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
