internal import Base
internal import KlingAPI

/// The members of a create by name, whether it came as JSON or as a form.
struct UseapiMembers: Sendable {
    /// The value of a member that is present and neither null nor empty.
    enum Value: Sendable {
        case text(String)
        /// A text too long for anything but a picture, as it appears between the quotes of a JSON string.
        case long(ByteSlice)
        /// A number as it is written.
        case number(String)
        case flag(Bool)
        /// The bytes of an uploaded file.
        case file(ByteSlice)
        /// A kind of value that no member accepts.
        case other(JSONKind)
    }

    /// The maximum length of a text that is decoded, in bytes before decoding.
    static let longestText = 16 << 10

    private var values: [UseapiMember: Value] = [:]

    /// No members.
    init() {}

    subscript(member: UseapiMember) -> Value? { values[member] }

    /// Adds a member.
    /// - Throws: if it was added before.
    mutating func add(_ member: UseapiMember, _ value: Value) throws(GatewayError) {
        guard values.updateValue(value, forKey: member) == nil else {
            throw GatewayError(in: member, "appears in the request more than once. Send it once.")
        }
    }
}

extension UseapiMembers {
    private static let slice = 1 << 20

    /// Parses a JSON object. A large one is parsed in slices, between which other tasks of the loop run.
    /// - Throws: what is wrong with the JSON.
    init(json body: Bytes) async throws(GatewayError) {
        var scanner = JSONScanner(range: 0..<body.count)
        var limit = Self.slice
        while try !Self.advance(&scanner, body, upTo: limit) {
            await Task.yield()
            limit += Self.slice
        }
        guard scanner.kind == .object else {
            throw GatewayError(.malformedBody, "The body is \(scanner.kind?.words ?? "nothing"); send a JSON object.")
        }
        self.init()
        for member in scanner.members where !member.isNullOrEmpty {
            let name = body.withByteSpan { JSONString.text($0, member.name) }
            guard let known = UseapiMember(rawValue: name) else { continue }
            guard !member.hasLoneSurrogate else {
                throw GatewayError(in: known, ParameterError.loneSurrogate)
            }
            try add(known, Self.value(member, body))
        }
    }

    private static func advance(
        _ scanner: inout JSONScanner, _ body: Bytes, upTo limit: Int
    ) throws(GatewayError) -> Bool {
        do {
            return try body.withByteSpan { (bytes) throws(JSONError) in try scanner.scan(bytes, upTo: limit) }
        } catch {
            throw GatewayError(.malformedBody, "The body is not valid JSON \(error).")
        }
    }

    private static func value(_ member: JSONMember, _ body: Bytes) -> Value {
        switch member.kind {
        case .string where member.content.count > longestText: .long(ByteSlice(body, member.content))
        case .string: .text(body.withByteSpan { JSONString.text($0, member.content) })
        case .number: .number(body.withByteSpan { JSONString.text($0, member.value) })
        case .bool: .flag(body.withByteSpan { JSONString.text($0, member.value) } == "true")
        default: .other(member.kind)
        }
    }
}

extension UseapiMembers {
    /// Adds a text part of a form.
    mutating func add(_ name: String, text: ByteSlice, _ charset: FormCharset = .utf8) throws(GatewayError) {
        guard let member = UseapiMember(rawValue: name), text.count > 0 else { return }
        if text.count > Self.longestText { return try addLong(member, text) }
        guard let value = charset.text(text) else {
            throw GatewayError(in: member, "is not text in UTF-8.")
        }
        // What JavaScript puts into a form for a variable without a value. For a
        // picture it is kept, and refused later with an error that shows it.
        if !member.isPicture, value == "undefined" || value == "null" { return }
        try add(member, .text(value))
    }

    /// Adds a file part of a form.
    mutating func add(_ name: String, file: ByteSlice) throws(GatewayError) {
        guard let member = UseapiMember(rawValue: name) else { return }
        try add(member, .file(file))
    }

    /// Adds a long text, which must be a base64 picture: JSON escapes none of its characters but line breaks and tabs,
    /// which readers of base64 drop.
    private mutating func addLong(_ member: UseapiMember, _ text: ByteSlice) throws(GatewayError) {
        // The bytes are valid during the call, and none of them leave it.
        let isPlain = unsafe text.withUnsafeBytes { bytes in
            unsafe bytes.allSatisfy {
                (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C || $0 == 0x0A || $0 == 0x0D || $0 == 0x09
            }
        }
        guard isPlain else { throw GatewayError(in: member, "is too long for a text member and is not base64.") }
        try add(member, .long(text))
    }
}
