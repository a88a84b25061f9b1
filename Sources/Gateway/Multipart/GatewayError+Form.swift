extension GatewayError {
    init(_ error: FormError) { self.init(.malformedBody, error.message, parameter: error.part) }
}
