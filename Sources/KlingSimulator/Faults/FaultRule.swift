internal import KlingAPI

/// When a fault happens: to which requests, how often, how likely.
public struct FaultRule: Sendable, Hashable {
    /// What a fault happens to.
    public enum Point: String, Sendable, CaseIterable {
        case create, query, list, callback
    }

    public var point: Point
    public var fault: SimulatedFault
    /// How likely it is, from 0 to 1.
    public var probability: Double
    /// How often it happens at most; nil for ever.
    public var times: Int?
    /// The one account that it happens to; nil for all.
    public var account: String?

    public init(
        on point: Point, _ fault: SimulatedFault, probability: Double = 1, times: Int? = nil, account: String? = nil
    ) {
        self.point = point
        self.fault = fault
        self.probability = probability
        self.times = times
        self.account = account
    }

    /// How a rule is written on a command line.
    public static let usage = "create|query|list|callback:FAULT[:PROBABILITY[:TIMES]]"

    /// Reads a rule as it is written on a command line: `create:lost-answer:0.05`, `query:5000:1:3`.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...4).contains(parts.count), let point = Point(rawValue: String(parts[0])),
            let fault = SimulatedFault(String(parts[1]))
        else { return nil }
        self.init(on: point, fault)
        if parts.count > 2 {
            guard let probability = Double(parts[2]) else { return nil }
            self.probability = probability
        }
        if parts.count > 3 {
            guard let times = Int(parts[3]) else { return nil }
            self.times = times
        }
        guard isSound else { return nil }
    }

    /// Reads a rule as it is sent to the control interface.
    init(json object: JSONObject) throws(SimulatedRefusal) {
        guard let point = object.string("on").flatMap(Point.init(rawValue:)) else {
            throw .parameter("on must be one of \(Point.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let fault = object.identifier("fault").flatMap(SimulatedFault.init(_:)) else {
            throw .parameter("fault must be one of \(SimulatedFault.usage)")
        }
        self.init(on: point, fault, times: object.integer("times"), account: object.string("account"))
        if let member = object["probability"] {
            probability = Double(String(decoding: object.bytes[member.value], as: UTF8.self)) ?? -1
        }
        guard isSound else {
            throw .parameter("probability must be from 0 to 1, times at least 1, the fault one of \(point.rawValue)")
        }
    }

    private var isSound: Bool {
        (0...1).contains(probability) && times.map { $0 > 0 } ?? true && fault.points.contains(point)
    }
}

/// The rules in force. The first that applies to a request decides.
struct FaultRules: Sendable {
    private(set) var rules: [FaultRule]

    init(_ rules: [FaultRule]) { self.rules = rules }

    mutating func add(_ rule: FaultRule) { rules.append(rule) }

    /// What goes wrong with a request, if anything.
    /// - Parameter happens: draws whether something of a probability happens.
    mutating func fault(
        on point: FaultRule.Point, account: String?, _ happens: (Double) -> Bool
    ) -> SimulatedFault? {
        let index = rules.firstIndex { rule in
            rule.point == point && (rule.account == nil || rule.account == account) && happens(rule.probability)
        }
        guard let index else { return nil }
        let fault = rules[index].fault
        if let times = rules[index].times {
            rules[index].times = times - 1
            if times == 1 { rules.remove(at: index) }
        }
        return fault
    }
}
