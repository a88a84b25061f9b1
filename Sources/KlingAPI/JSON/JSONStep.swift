/// What a scanner takes next.
enum JSONStep {
    case value, firstElement, firstName, name, colon, separator, end
    case inName, inString

    /// What is expected, for an error.
    func expectation(isOutermost: Bool, isInObject: @autoclosure () -> Bool) -> String {
        switch self {
        case .value: isOutermost ? "a JSON value" : "a value"
        case .firstElement: "a value or ']'"
        case .firstName: "a name in quotes or '}'"
        case .name: "a name in quotes"
        case .colon: "':' after a name"
        case .separator: isInObject() ? "',' or '}'" : "',' or ']'"
        case .end: "nothing more"
        case .inName, .inString: "a quote at the end of a string"
        }
    }
}
