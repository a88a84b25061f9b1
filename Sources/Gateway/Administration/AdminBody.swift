internal import KlingAPI

/// Reads bodies of calls: JSON objects with the declared members only.
extension AdminValues {
    /// Reads a body. An empty one is an object without members.
    init(body: [UInt8], _ members: [AdminMember]) throws(AdminError) {
        self.init()
        if !body.isEmpty { self = try Self.object(body, members) }
        try checkRequired(members, prefix: "")
    }

    /// Reads a body that must have exactly one of the members.
    init(body: [UInt8], oneOf members: [AdminMember]) throws(AdminError) {
        try self.init(body: body, members)
        guard members.count(where: { has($0.name) }) == 1 else {
            let names = members.map(\.name).joined(separator: " or ")
            throw AdminError(400, "exactly one of \(names) must be sent", parameter: members.first?.name)
        }
    }

    private static func object(_ body: [UInt8], _ members: [AdminMember]) throws(AdminError) -> AdminValues {
        do throws(JSONError) {
            _ = try JSONScanner(body.span, range: 0..<body.count)
        } catch {
            throw AdminError(400, "The body is not JSON: \(error).")
        }
        guard let object = JSONObject(body) else { throw AdminError(400, "The body must be a JSON object.") }
        return try AdminValues(object, members, prefix: "")
    }

    /// - Parameter prefix: the path of the object in the body, for messages.
    private init(_ object: JSONObject, _ members: [AdminMember], prefix: String) throws(AdminError) {
        self.init()
        for given in object.members {
            let name = object.name(of: given)
            guard let member = members.first(where: { $0.name == name }) else {
                throw .unknown(Self.printable(name), "member", among: members, prefix: prefix)
            }
            if case .readOnly = member.kind { continue }
            guard given.kind == .null else {
                self[name] = try Self.value(given, object, member.kind, name: prefix + name)
                continue
            }
            guard member.isNullable else { throw .value(prefix + name, "must be \(member.kind.words), not null") }
            self[name] = .null
        }
        if !prefix.isEmpty { try checkRequired(members, prefix: prefix) }
    }

    private static func value(
        _ given: JSONMember, _ object: JSONObject, _ kind: AdminMember.Kind, name: String
    ) throws(AdminError) -> Value {
        let value: Value?
        switch kind {
        case .text, .word: value = object.text(of: given).flatMap { Value($0, kind) }
        case .integer(let range):
            value = object.integer(of: given).flatMap { range.contains($0) ? .integer($0) : nil }
        case .amount: value = given.kind == .number ? Value(amount: object.json(of: given)) : nil
        case .flag: value = object.flag(of: given).map(Value.flag)
        case .yes: value = object.flag(of: given) == true ? .flag(true) : nil
        case .readOnly: value = .null
        case .texts(let most): value = try texts(given, object, upTo: most).map(Value.texts)
        case .words(let words): value = try texts(given, object, upTo: words.count).flatMap { Value($0, among: words) }
        case .object(let members):
            value = try object.object(of: given).map { (object) throws(AdminError) -> Value in
                .object(try AdminValues(object, members, prefix: name + "."))
            }
        case .objects(let most, let members):
            value = try objects(given, object, upTo: most, members, name: name).map(Value.objects)
        }
        guard let value else { throw .value(name, "must be \(kind.words)") }
        return value
    }

    private static func texts(
        _ given: JSONMember, _ object: JSONObject, upTo most: Int
    ) throws(AdminError) -> [String]? {
        guard let elements = object.elements(of: given), elements.count <= most else { return nil }
        let texts = elements.compactMap { object.text(of: $0) }
        guard texts.count == elements.count, texts.allSatisfy({ Value.isPlain($0, 1...AdminMember.longestText) }) else {
            return nil
        }
        return texts
    }

    private static func objects(
        _ given: JSONMember, _ object: JSONObject, upTo most: Int, _ members: [AdminMember], name: String
    ) throws(AdminError) -> [AdminValues]? {
        guard let elements = object.elements(of: given), elements.count <= most else { return nil }
        var all: [AdminValues] = []
        for (index, element) in elements.enumerated() {
            guard let one = object.object(of: element) else { return nil }
            all.append(try AdminValues(one, members, prefix: "\(name)[\(index)]."))
        }
        return all
    }

    /// A name for a message.
    static func printable(_ name: String) -> String {
        String(name.unicodeScalars.prefix(64).map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" })
    }
}

extension AdminValues.Value {
    /// A text or one word; nil if it is not of that kind.
    init?(_ text: String, _ kind: AdminMember.Kind) {
        switch kind {
        case .text(let bytes): if !Self.isPlain(text, bytes) { return nil }
        case .word(let words): if !words.contains(text) { return nil }
        default: return nil
        }
        self = .text(text)
    }

    /// A decimal number; nil if it has an exponent, a sign, or more places than are kept.
    init?(amount text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : ""
        guard parts.count <= 2, fraction.utf8.count <= 6,
            (parts[0] + fraction).utf8.allSatisfy({ (0x30...0x39).contains($0) }), let whole = Int64(parts[0]),
            whole < 1_000_000_000_000
        else { return nil }
        let padded = fraction + String(repeating: "0", count: 6 - fraction.utf8.count)
        self = .amount(whole * 1_000_000 + (Int64(padded) ?? 0))
    }

    /// Some of `words`; nil if there is another one, or one twice.
    init?(_ texts: [String], among words: [String]) {
        guard Set(texts).count == texts.count, texts.allSatisfy(words.contains) else { return nil }
        self = .texts(texts)
    }

    /// Whether a text has the right length and no control characters.
    static func isPlain(_ text: String, _ bytes: ClosedRange<Int>) -> Bool {
        bytes.contains(text.utf8.count)
            && !text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
