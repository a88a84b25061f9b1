/// The checked values of a query or of an object in a body.
struct AdminValues: Sendable, Equatable {
    /// A value of the kind that its member may have.
    enum Value: Sendable, Equatable {
        case null
        case text(String)
        case integer(Int)
        /// A decimal number as millionths.
        case amount(Int64)
        case flag(Bool)
        case texts([String])
        case object(AdminValues)
        case objects([AdminValues])
    }

    private var values: [String: Value] = [:]

    subscript(name: String) -> Value? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// Whether the member was sent, be it as null.
    func has(_ name: String) -> Bool { values[name] != nil }

    func text(_ name: String) -> String? { if case .text(let text)? = values[name] { text } else { nil } }

    func integer(_ name: String) -> Int? { if case .integer(let number)? = values[name] { number } else { nil } }

    /// A decimal number as millionths.
    func amount(_ name: String) -> Int64? { if case .amount(let number)? = values[name] { number } else { nil } }

    /// The flag; false if it was not sent.
    func flag(_ name: String) -> Bool { values[name] == .flag(true) }

    func texts(_ name: String) -> [String]? { if case .texts(let texts)? = values[name] { texts } else { nil } }

    func object(_ name: String) -> AdminValues? { if case .object(let values)? = values[name] { values } else { nil } }

    func objects(_ name: String) -> [AdminValues]? {
        if case .objects(let objects)? = values[name] { objects } else { nil }
    }

    /// - Throws: if a required member is missing.
    func checkRequired(_ members: [AdminMember], prefix: String) throws(AdminError) {
        for member in members where member.isRequired && values[member.name] == nil {
            throw .value(prefix + member.name, "is missing: it must be \(member.kind.words)")
        }
    }
}

extension AdminError {
    /// A name that the call does not know.
    static func unknown(_ name: String, _ what: String, among members: [AdminMember], prefix: String) -> AdminError {
        let known = members.map(\.name).joined(separator: ", ")
        return AdminError(
            400, "\(prefix)\(name) is not a \(what) here: \(known.isEmpty ? "there are none" : "known are \(known)")",
            parameter: prefix + name)
    }
}
