/// A charge for a task: an entry of its `billing` (Kling, virtual-try-on page).
public struct Billing: Sendable, Hashable {
    /// How the task was paid for: `charge_type`.
    public enum Kind: String, Sendable, CaseIterable {
        /// Units of a resource pack.
        case unit
        /// Money from the account's balance.
        case cash
    }

    public let kind: Kind
    /// The amount, a decimal number such as `0.5`.
    public let amount: String
    /// The currency of a cash charge, such as `USD`; nil if Kling does not give it.
    public let currency: String?
    /// The price of a cash charge before discounts, a decimal number.
    public let listPrice: String?
    /// The type of the resource pack that provided the units, such as `image`; nil if Kling does not give it.
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

    /// Reads an entry; nil unless it has a known charge type and an amount.
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
    /// The charges for the task: its `billing` or, in a task of the kolors dialect, its two deductions. Invalid entries
    /// are left out.
    public var billing: [Billing] {
        if let entries = object.objects("billing") { return entries.compactMap { Billing($0) } }
        var charges: [Billing] = []
        if let units = object.decimal("final_unit_deduction") { charges.append(Billing(kind: .unit, amount: units)) }
        if let balance = object.object("final_balance_deduction"), let cash = balance.decimal("quota") {
            charges.append(Billing(kind: .cash, amount: cash, listPrice: balance.decimal("list_price")))
        }
        return charges
    }
}

extension JSONObject {
    /// A member that is a decimal number without a sign or an exponent, written as a JSON number or string.
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
