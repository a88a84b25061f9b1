/// Why a body is not the form that its `Content-Type` declares.
struct FormError: Error, Sendable, Equatable {
    /// A sentence for the client.
    let message: String
    /// The name of the part in question, if it was read.
    var part: String?

    init(_ message: String, part: String? = nil) {
        self.message = message
        self.part = part
    }
}
