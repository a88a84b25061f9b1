extension RouteRules.Body {
    /// Refuses a body whose `Content-Type` says that it can't be read here.
    func check(_ types: [String]) throws(GatewayError) {
        guard self != .any, let type = types.first(where: { $0.lowercased().hasPrefix("multipart/") }) else { return }
        switch self {
        case .any: return
        case .jsonOrForm where types.count == 1 && type.lowercased().hasPrefix("multipart/form-data"): return
        case .jsonOrForm:
            throw GatewayError(.unsupportedMediaType, "This path accepts JSON and multipart/form-data.")
        case .json:
            throw GatewayError(
                .unsupportedMediaType, "This path accepts JSON. Send the pictures as URLs or base64 in JSON.")
        }
    }
}
