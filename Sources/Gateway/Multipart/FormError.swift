/// Why a body is not the form that its `Content-Type` says.
struct FormError: Error, Sendable, Equatable {
    /// A sentence for whoever sent it.
    let message: String
    /// The part that is meant, by its name if that was read.
    var part: String?

    init(_ message: String, part: String? = nil) {
        self.message = message
        self.part = part
    }
}

extension GatewayError {
    init(_ error: FormError) { self.init(.malformedBody, error.message, parameter: error.part) }
}
