/// How much of the outbox is read at once. A lane is a tenant's deliveries to one receiver: scheme, host and port.
public struct OutboxBounds: Sendable, Equatable {
    /// How many lanes of a tenant. Of one that has more, others are read each time.
    public var lanes = 64
    /// How many deliveries of a lane.
    public var each = 32
    /// How many deliveries in all, about, and how many bytes their bodies have: the lane that exceeds them is the last.
    public var rows = 8192
    public var bytes = 16 << 20

    /// The defaults.
    public init() {}

    /// What a URL's lane is named after: the URL without its path.
    static func receiver(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "-" }
        let host = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return "\(url[..<scheme.upperBound])\(host)".lowercased()
    }
}

/// Where a reading of the outbox goes on.
public struct OutboxPosition: Sendable, Equatable {
    /// The last tenant that was read; nil: begin with the first.
    public internal(set) var tenant: String?
    /// The last receiver that was read of each tenant that has more of them than are read at once.
    var receivers: [String: String] = [:]

    /// Behind that tenant; nil: from the beginning.
    public init(tenant: String? = nil) { self.tenant = tenant }
}

/// What a reading of the outbox has found.
public struct OutboxPage: Sendable, Equatable {
    public internal(set) var rows: [DeliveryRecord] = []
    /// Where the next reading goes on. Its tenant is nil if this one has come to the last.
    public internal(set) var next: OutboxPosition
    var bytes = 0

    /// What was found by other means than a store.
    public init(rows: [DeliveryRecord] = [], next: OutboxPosition = OutboxPosition()) {
        self.rows = rows
        self.next = next
    }

    mutating func add(_ rows: [DeliveryRecord]) {
        self.rows += rows
        bytes += rows.reduce(0) { $0 + $1.body.count }
    }

    func isFull(_ bounds: OutboxBounds) -> Bool { rows.count >= bounds.rows || bytes >= bounds.bytes }
}
