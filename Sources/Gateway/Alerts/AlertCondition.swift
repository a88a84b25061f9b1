internal import Base

/// What operators are alerted about.
enum AlertKind: String, Sendable, CaseIterable {
    case accountDisabled = "account_disabled"
    case accountOutOfUnits = "account_out_of_units"
    case tasksStuck = "tasks_stuck"
    case tasksUnknown = "tasks_unknown"
    case callbacksFailing = "callbacks_failing"
    case budgetThreshold = "budget_threshold"
    case queueAge = "queue_age"
    case errorShare = "error_share"

    /// How long a condition must hold before it is raised.
    var raisesAfter: Duration {
        switch self {
        case .accountDisabled, .queueAge: .seconds(10)
        case .accountOutOfUnits, .tasksStuck, .tasksUnknown, .callbacksFailing, .budgetThreshold, .errorShare: .zero
        }
    }

    /// How long a condition must be gone before it is cleared.
    var clearsAfter: Duration {
        switch self {
        case .accountDisabled, .accountOutOfUnits, .queueAge: .seconds(60)
        case .tasksStuck, .tasksUnknown, .budgetThreshold, .errorShare: .seconds(300)
        // A receiver that fails is called less and less often.
        case .callbacksFailing: .seconds(3600)
        }
    }
}

/// Something that is wrong now.
struct AlertCondition: Sendable, Equatable {
    let kind: AlertKind
    /// The account or tenant; empty: the whole gateway.
    let subject: String
    /// What tells conditions with the same kind and subject apart.
    var part = ""
    /// Whether it is bad enough to be raised. If not, it only keeps an alert from being cleared.
    var isFirm = true
    /// A sentence for people.
    let summary: String
    /// The figures for programs.
    let details: [AlertDetail]

    /// The same for the same condition at any time.
    var id: String { [kind.rawValue, subject, part].filter { !$0.isEmpty }.joined(separator: "/") }
}

/// A figure of a condition.
struct AlertDetail: Sendable, Equatable {
    enum Value: Sendable, Equatable {
        case text(String)
        /// In JSON's syntax.
        case number(String)
    }

    let name: StaticString
    let value: Value

    static func text(_ name: StaticString, _ text: String) -> AlertDetail {
        AlertDetail(name: name, value: .text(text))
    }

    static func number(_ name: StaticString, _ number: some BinaryInteger) -> AlertDetail {
        AlertDetail(name: name, value: .number("\(number)"))
    }

    static func decimal(_ name: StaticString, _ number: String) -> AlertDetail {
        AlertDetail(name: name, value: .number(number))
    }

    static func == (one: AlertDetail, other: AlertDetail) -> Bool {
        "\(one.name)" == "\(other.name)" && one.value == other.value
    }
}
