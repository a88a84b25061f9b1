/// Reads queries of calls: the declared parameters only, each at most once.
extension AdminValues {
    /// Reads a raw query.
    init(query: String?, _ parameters: [AdminMember]) throws(AdminError) {
        self.init()
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentDecoding.text(parts[0]),
                let value = PercentDecoding.text(parts.count > 1 ? parts[1] : "")
            else { throw AdminError(400, "The query is not percent-encoded UTF-8.") }
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw .unknown(Self.printable(name), "parameter", among: parameters, prefix: "")
            }
            if has(name) { throw .value(name, "appears in the query more than once") }
            // A form sends the fields that its user left empty.
            if value.isEmpty { continue }
            guard let read = Self.value(value, parameter.kind) else {
                throw .value(name, "must be \(parameter.kind.words)")
            }
            self[name] = read
        }
        try checkRequired(parameters, prefix: "")
    }

    private static func value(_ text: String, _ kind: AdminMember.Kind) -> Value? {
        switch kind {
        case .text, .word: Value(text, kind)
        case .words(let words): Value(text.split(separator: ",").map(String.init), among: words)
        case .integer(let range): number(text).flatMap { range.contains($0) ? .integer($0) : nil }
        case .flag: ["true": Value.flag(true), "false": .flag(false)][text]
        case .yes: text == "true" ? .flag(true) : nil
        case .amount, .readOnly, .texts, .object, .objects: nil
        }
    }

    private static func number(_ text: String) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}

/// Decodes parts of a URL.
enum PercentDecoding {
    /// The text of a path segment or of a part of a query, in which `+` is a space; nil if it is not percent-encoded
    /// UTF-8.
    static func text(_ part: Substring, isPath: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = part.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let digits = String(rest.prefix(2)), digits.utf8.count == 2, let value = UInt8(digits, radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+") where !isPath: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
