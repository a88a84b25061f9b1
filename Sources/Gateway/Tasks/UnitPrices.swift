internal import Base
internal import KlingAPI
internal import TaskStore

/// What tasks take up of the limits of their keys and tenants.
struct TaskQuota: Sendable {
    let running = RunningTasks()
    let prices = UnitPrices()
}

/// What tasks are expected to cost: as many units as the last one of their model.
final class UnitPrices: Sendable {
    /// Kling takes one unit for a picture (https://klingai.com/dev/pricing).
    private static let usual: Int64 = 1_000_000

    private let known = Lock<[String: Int64]>([:])

    /// The expected price of a task, in millionths of a unit.
    func units(of model: String) -> Int64 { known.withLock { $0[model] } ?? Self.usual }

    /// Learns from a task that has ended.
    func learn(from task: TaskRecord) {
        guard task.state == .succeed, task.charge.units > 0, task.charge.units != units(of: task.model) else { return }
        known.withLock { $0[task.model] = task.charge.units }
    }
}

extension Charge {
    /// What Kling says that a task has cost; nil if it says nothing.
    init?(_ task: TaskObject) {
        let entries = task.billing
        if entries.isEmpty { return nil }
        self.init()
        for entry in entries {
            guard let amount = Self.millionths(of: entry.amount) else { continue }
            switch entry.kind {
            case .unit: units += amount
            case .cash where amount > 0:
                cash += amount
                currency = entry.currency ?? Self.unnamedCurrency
            case .cash: break
            }
        }
    }

    /// ISO 4217's code for no currency, for charges without one.
    private static let unnamedCurrency = "XXX"

    /// A decimal number as millionths, rounded down; nil if it is too large.
    static func millionths(of decimal: String) -> Int64? {
        let parts = decimal.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = Int64(parts[0]), whole < 1_000_000_000_000 else { return nil }
        let digits = parts.count == 2 ? parts[1].prefix(6) : ""
        return whole * 1_000_000 + (Int64(digits + String(repeating: "0", count: 6 - digits.count)) ?? 0)
    }
}
