internal import KlingAPI

/// How a successful task is paid for, as the newer API reports it.
public enum SimulatedBilling: String, Sendable, CaseIterable {
    /// A unit of an image pack.
    case unit
    /// Money from the balance, in yuan or in dollars.
    case yuan = "CNY"
    case dollars = "USD"

    /// The syntax on the command line.
    public static let usage = allCases.map(\.rawValue).joined(separator: "|")

    /// Writes the one entry of `billing`.
    func write(to list: inout JSONWriter) {
        list.object { entry in
            guard self != .unit else {
                entry.member("charge_type", "unit")
                entry.member("amount", "1")
                entry.member("package_type", "image")
                return
            }
            let price = self == .yuan ? "0.5" : "0.07"
            entry.member("charge_type", "cash")
            entry.member("amount", price)
            entry.member("cash_type", "balance")
            entry.member("list_price", price)
            entry.member("currency", rawValue)
        }
    }
}
