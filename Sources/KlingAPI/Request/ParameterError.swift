/// What is wrong with a request: the field, what was found, what is allowed and how to fix it.
///
/// The message is bounded and printable, and never repeats a picture, a key or an address.
public struct ParameterError: Error, Sendable, Hashable {
    /// 1200 for a body that is not the expected JSON or for a member of the wrong type, 1201 for a bad value.
    public let code: KlingCode
    /// The member at fault, if there is one.
    public let parameter: String?
    /// A sentence for the client.
    public let message: String

    public init(code: KlingCode, parameter: String?, message: String) {
        self.code = code
        self.parameter = parameter
        self.message = message
    }

    /// Nothing is wrong with the request, but there is not enough memory to process it.
    public static let noMemory = Self(
        code: .unavailable, parameter: nil, message: "There is no memory for the request. Send it again later.")

    static func syntax(_ error: JSONError) -> Self {
        Self(code: .invalidRequest, parameter: nil, message: "The body is not valid JSON \(error).")
    }

    static func wrongType(_ parameter: String, expected: String, found: JSONKind) -> Self {
        Self(
            code: .invalidRequest, parameter: parameter,
            message: "\(parameter) is \(found.words); send \(expected).")
    }

    /// The problem of a text that has half of a surrogate pair.
    public static let loneSurrogate = "contains half of a surrogate pair (\\uD800 to \\uDFFF). Send whole characters."

    static func value(_ parameter: String, _ problem: String) -> Self {
        Self(code: .invalidParameter, parameter: parameter, message: "\(parameter) \(problem)")
    }
}
