internal import KlingAPI

/// When a fault happens: to which requests, how often, and with what probability.
public struct FaultRule: Sendable, Hashable {
    /// What a fault can happen to.
    public enum Point: String, Sendable, CaseIterable {
        case create, query, list, callback
    }

    public var point: Point
    public var fault: SimulatedFault
    /// Its probability, from 0 to 1.
    public var probability: Double
    /// The maximum number of times that it happens; nil for no limit.
    public var times: Int?
    /// The account that it is limited to; nil for all.
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

    /// The syntax of a rule on the command line.
    public static let usage = "create|query|list|callback:FAULT[:PROBABILITY[:TIMES]]"

    /// Parses a rule from the command line: `create:lost-answer:0.05`, `query:5000:1:3`.
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
        guard isValid else { return nil }
    }

    /// Parses a rule from a request to the control API.
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
        guard isValid else {
            throw .parameter("probability must be from 0 to 1, times at least 1, the fault one of \(point.rawValue)")
        }
    }

    private var isValid: Bool {
        (0...1).contains(probability) && times.map { $0 > 0 } ?? true && fault.points.contains(point)
    }
}

/// The rules in force. The first that applies to a request decides.
struct FaultRules: Sendable {
    private(set) var rules: [FaultRule]

    init(_ rules: [FaultRule]) { self.rules = rules }

    mutating func add(_ rule: FaultRule) { rules.append(rule) }

    /// What goes wrong with a request, if anything.
    /// - Parameter happens: decides at random whether an event of this probability happens.
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
