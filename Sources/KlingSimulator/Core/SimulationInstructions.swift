internal import KlingAPI

/// What a create asks of the simulator, in the member `simulate`, which Kling ignores, or in the person's URL.
///
/// `{"outcome": "failed", "message": "...", "seconds": 2.5, "url_bytes": 1000000, "fault": "lost-answer", "times": 1,
/// "account": "first"}`, all optional.
struct SimulationInstructions: Sendable, Hashable {
    /// How the task ends.
    var outcome = TaskStatus.succeed
    /// Why it fails, if it does.
    var message = Self.riskControl
    /// How long it takes, in milliseconds; nil for a random duration.
    var duration: Int?
    /// The length that its picture's URL is padded to, in bytes; 0 for no padding.
    var urlBytes = 0
    /// What goes wrong with the answer to this create.
    var fault: SimulatedFault?
    /// How many creates of the same `external_task_id` the fault affects.
    var times = 1
    /// The account that the fault is limited to; nil for all.
    var account: String?

    private static let longestURL = 64 << 20

    /// Kling's message for a picture that its filters refuse.
    static let riskControl = "Failure to pass the risk control system"

    init() {}

    init(_ object: JSONObject) throws(SimulatedRefusal) {
        if let word = object.string("outcome") {
            outcome = TaskStatus(rawValue: word)
            guard outcome.isFinal else { throw .parameter("simulate.outcome must be succeed or failed") }
        }
        message = object.string("message") ?? message
        if let text = object["seconds"].map({ String(decoding: object.bytes[$0.value], as: UTF8.self) }) {
            guard let seconds = Double(text), (0...86_400).contains(seconds) else {
                throw .parameter("simulate.seconds must be a number from 0 to 86400")
            }
            duration = Int(seconds * 1000)
        }
        if object["url_bytes"] != nil {
            guard let bytes = object.integer("url_bytes"), (0...Self.longestURL).contains(bytes) else {
                throw .parameter("simulate.url_bytes must be a number from 0 to \(Self.longestURL)")
            }
            urlBytes = bytes
        }
        if let text = object.string("fault") {
            fault = SimulatedFault(text)
            if fault == nil { throw .parameter("simulate.fault is not a fault; known are \(SimulatedFault.usage)") }
        }
        times = object.integer("times") ?? times
        account = object.string("account")
    }
}
