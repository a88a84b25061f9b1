/// What a task was charged with: an entry of its `billing` (Kling, virtual-try-on page).
public struct Billing: Sendable, Hashable {
    /// Out of what it was paid: `charge_type`.
    public enum Kind: String, Sendable, CaseIterable {
        /// Units of a resource pack.
        case unit
        /// Money of the account's balance.
        case cash
    }

    public let kind: Kind
    /// How much it was, a decimal number such as `0.5`.
    public let amount: String
    /// The currency of cash, such as `USD`; nil where Kling does not say.
    public let currency: String?
    /// The price of cash before discounts, a decimal number.
    public let listPrice: String?
    /// The kind of the pack that has given the units, such as `image`; nil where Kling does not say.
    public let packageType: String?

    public init(
        kind: Kind, amount: String, currency: String? = nil, listPrice: String? = nil, packageType: String? = nil
    ) {
        self.kind = kind
        self.amount = amount
        self.currency = currency
        self.listPrice = listPrice
        self.packageType = packageType
    }

    /// Reads an entry; nil without a known charge type and an amount.
    init?(_ entry: JSONObject) {
        guard let kind = entry.string("charge_type").flatMap(Kind.init(rawValue:)),
            let amount = entry.decimal("amount")
        else { return nil }
        self.init(
            kind: kind, amount: amount, currency: entry.string("currency"), listPrice: entry.decimal("list_price"),
            packageType: entry.string("package_type"))
    }

    /// Writes the entry as Kling does.
    func write(to entry: inout JSONWriter) {
        entry.member("charge_type", kind.rawValue)
        entry.member("amount", amount)
        entry.member("package_type", ifPresent: packageType)
        entry.member("list_price", ifPresent: listPrice)
        entry.member("currency", ifPresent: currency)
    }
}

extension TaskObject {
    /// What the task was charged with: its `billing` or, in a task of the kolors dialect, its two deductions. Entries
    /// that make no sense are left out.
    public var billing: [Billing] {
        if let entries = object.objects("billing") { return entries.compactMap { Billing($0) } }
        let units = object.decimal("final_unit_deduction").map { Billing(kind: .unit, amount: $0) }
        let balance = object.object("final_balance_deduction")
        let cash = balance?.decimal("quota").map {
            Billing(kind: .cash, amount: $0, listPrice: balance?.decimal("list_price"))
        }
        return [units, cash].compactMap(\.self)
    }
}

extension JSONObject {
    /// A member that is a decimal number without a sign and an exponent, in a string or not.
    func decimal(_ name: StaticString) -> String? {
        guard let member = self[name] else { return nil }
        let text = member.kind == .number ? String(decoding: bytes[member.value], as: UTF8.self) : string(name)
        guard let text, text.utf8.count <= Self.longestDecimal else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let isDecimal = parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }
        return isDecimal ? text : nil
    }

    private static let longestDecimal = 40
}
