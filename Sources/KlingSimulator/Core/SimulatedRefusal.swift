internal import KlingAPI

/// Why the platform refuses a request: a code and a message.
struct SimulatedRefusal: Error, Hashable, Sendable {
    let code: KlingCode
    let message: String

    init(_ code: KlingCode, _ message: String? = nil) {
        self.code = code
        self.message = message ?? code.meaning
    }

    static func parameter(_ message: String) -> SimulatedRefusal { SimulatedRefusal(.invalidParameter, message) }
}
