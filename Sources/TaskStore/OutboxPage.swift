/// How much of the outbox is read at once. A lane is a tenant's deliveries to one receiver: scheme, host and port.
public struct OutboxBounds: Sendable, Equatable {
    /// How many lanes of a tenant to read. If it has more, the next read continues with the others.
    public var lanes = 64
    /// How many deliveries of a lane to read.
    public var each = 32
    /// About how many deliveries to read in all, and how many bytes of bodies: the lane that reaches a limit is the
    /// last.
    public var rows = 8192
    public var bytes = 16 << 20

    /// The defaults.
    public init() {}

    /// Returns the receiver that a URL's lane is named after: the URL without its path.
    static func receiver(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "-" }
        let host = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return "\(url[..<scheme.upperBound])\(host)".lowercased()
    }
}

/// Where the next read of the outbox continues.
public struct OutboxPosition: Sendable, Equatable {
    /// The tenant that was read last; nil: start with the first.
    public internal(set) var tenant: String?
    /// The receiver that was read last, for each tenant whose receivers were not all read.
    var receivers: [String: String] = [:]

    /// Makes a position after that tenant; nil: at the beginning.
    public init(tenant: String? = nil) { self.tenant = tenant }
}

/// The result of one read of the outbox.
public struct OutboxPage: Sendable, Equatable {
    public internal(set) var rows: [DeliveryRecord] = []
    /// Where the next read continues. Its tenant is nil if this read reached the last one.
    public internal(set) var next: OutboxPosition
    var bytes = 0

    /// Makes a page that does not come from a store.
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
