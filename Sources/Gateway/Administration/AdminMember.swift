/// A member of a body, or a parameter of a query: its name, what it may be, and what it means.
///
/// Requests are checked against it, and the OpenAPI document shows it.
struct AdminMember: Sendable {
    /// What a value may be.
    indirect enum Kind: Sendable {
        /// A text of so many bytes, without control characters.
        case text(ClosedRange<Int>)
        /// One of these words.
        case word([String])
        /// Some of these words, each at most once; in a query, separated by commas.
        case words([String])
        case integer(ClosedRange<Int>)
        /// A decimal number from 0 to 1,000,000,000,000 with at most six decimal places.
        case amount
        case flag
        /// True.
        case yes
        /// Any value, which is ignored: a member of answers that may be sent back.
        case readOnly
        /// An array of at most so many texts.
        case texts(Int)
        case object([AdminMember])
        /// An array of at most so many objects.
        case objects(Int, [AdminMember])
    }

    var name: String
    var kind: Kind
    /// CommonMark.
    var description: String
    var isRequired = false
    /// Whether null may be sent, which removes what is set.
    var isNullable = false
    /// What the text must match, for the document; the call checks it on its own.
    var pattern: String?

    init(
        _ name: String, _ kind: Kind, _ description: String, isRequired: Bool = false, isNullable: Bool = false,
        pattern: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.description = description
        self.isRequired = isRequired
        self.isNullable = isNullable
        self.pattern = pattern
    }

    /// Matches texts without control characters.
    static let plain = #"^[^\u0000-\u001f\u007f-\u009f]*$"#
    /// Matches names of tenants.
    static let tenantName = "^[A-Za-z0-9._-]{1,64}$"
    /// The longest text without a limit of its own, in bytes.
    static let longestText = 4096
    /// Times are milliseconds since 1970: these end in the year 9999.
    static let times = 0...253_402_300_799_999
}

/// What is the matter with a value, to follow its name.
extension AdminMember.Kind {
    /// What the value must be, such as `a whole number from 1 to 10`.
    var words: String {
        switch self {
        case .text(let bytes) where bytes.lowerBound == 0: "a text of at most \(bytes.upperBound) bytes"
        case .text(let bytes): "a text of \(bytes.lowerBound) to \(bytes.upperBound) bytes"
        case .word(let words): "one of \(words.joined(separator: ", "))"
        case .words(let words): "some of \(words.joined(separator: ", "))"
        case .integer(let range) where range == AdminMember.times: "a time in milliseconds since 1970"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .amount: "a number from 0 on with at most six decimal places"
        case .flag: "true or false"
        case .yes: "true"
        case .readOnly: "any value"
        case .texts(let count): "an array of at most \(count) texts"
        case .object: "an object"
        case .objects(let count, _): "an array of at most \(count) objects"
        }
    }
}
