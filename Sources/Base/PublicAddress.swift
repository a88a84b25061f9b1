extension IPAddress {
    /// Whether this is a unicast address of the public internet: not loopback, private, link-local (cloud metadata
    /// services are there), shared (RFC 6598), multicast, documentation, benchmarking or reserved (RFC 6890 and the
    /// IANA special-purpose registries).
    ///
    /// For IPv6, that is 2000::/3 without its special-purpose ranges. An IPv4 address inside an IPv6 one (mapped,
    /// NAT64) is judged as the IPv4 address; tunnels (6to4, Teredo) are not public.
    public var isPublic: Bool {
        switch family {
        case .v4: !Self.specialV4.contains { $0.contains(self) }
        case .v6: embeddedV4?.isPublic ?? isGlobalV6
        }
    }

    private var isGlobalV6: Bool { Self.globalV6.contains(self) && !Self.specialV6.contains { $0.contains(self) } }

    /// The IPv4 address that a packet to this IPv6 address reaches: `::ffff:0:0/96`, `64:ff9b::/96` (RFC 6052).
    private var embeddedV4: IPAddress? {
        let prefix = bits >> 32
        return prefix == 0xffff || prefix == 0x64_ff9b << 64 ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : nil
    }

    private static let globalV6 = block("2000::/3")

    private static let specialV6 = [
        block("2001::/23"),  // IETF protocol assignments: Teredo, benchmarking, ORCHID
        block("2001:db8::/32"),  // documentation
        block("2002::/16"),  // 6to4
        block("3fff::/20"),  // documentation
    ]

    private static let specialV4 = [
        block("0.0.0.0/8"),  // this network
        block("10.0.0.0/8"),  // private
        block("100.64.0.0/10"),  // shared: carrier-grade NAT
        block("127.0.0.0/8"),  // loopback
        block("169.254.0.0/16"),  // link-local, metadata
        block("172.16.0.0/12"),  // private
        block("192.0.0.0/24"),  // IETF protocol assignments
        block("192.0.2.0/24"),  // documentation
        block("192.88.99.0/24"),  // 6to4 relays
        block("192.168.0.0/16"),  // private
        block("198.18.0.0/15"),  // benchmarking
        block("198.51.100.0/24"),  // documentation
        block("203.0.113.0/24"),  // documentation
        block("224.0.0.0/4"),  // multicast
        block("240.0.0.0/4"),  // reserved, broadcast
    ]

    /// Parses an entry of the tables above.
    private static func block(_ text: StaticString) -> CIDR {
        guard let range = CIDR(text.description) else { preconditionFailure("not a range: \(text)") }
        return range
    }
}
