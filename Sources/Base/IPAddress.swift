internal import Glibc

/// An IPv4 or IPv6 address.
public struct IPAddress: Sendable, Hashable {
    /// The address family.
    public enum Family: Sendable, Hashable {
        case v4, v6

        /// How many bits an address has.
        public var bitWidth: Int { self == .v4 ? 32 : 128 }
    }

    /// The address family.
    public let family: Family
    /// The address as a number; that of an IPv4 address is below 2^32.
    public let bits: UInt128

    /// An IPv4 address from its 32 bits.
    public init(v4 bits: UInt32) {
        family = .v4
        self.bits = UInt128(bits)
    }

    /// An IPv6 address from its 128 bits.
    public init(v6 bits: UInt128) {
        family = .v6
        self.bits = bits
    }

    /// Parses `192.0.2.1` or `2001:db8::1`, as `inet_pton` does: no zone, no brackets, no short, octal or hex forms.
    public init?(_ text: String) {
        if text.utf8.contains(0) { return nil }
        var v4 = in_addr()
        var v6 = in6_addr()
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6)
        } else {
            return nil
        }
    }

    /// Reads the address from the bytes of a `sockaddr_in` or `sockaddr_in6`.
    public init?(socketAddress bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<sockaddr>.size else { return nil }
        switch Int32(unsafe bytes.loadUnaligned(as: sockaddr.self).sa_family) {
        case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
            self.init(v4: UInt32(bigEndian: unsafe bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
            self.init(unsafe bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr)
        default: return nil
        }
    }

    private init(_ address: in6_addr) {
        let bits = unsafe withUnsafeBytes(of: address) { unsafe $0.loadUnaligned(as: UInt128.self) }
        self.init(v6: UInt128(bigEndian: bits))
    }

    /// The IPv4 address inside an IPv4-mapped address (`::ffff:0:0/96`), or else this address. Sockets treat both forms
    /// alike.
    public var unmapped: IPAddress {
        family == .v6 && bits >> 32 == 0xffff ? IPAddress(v4: UInt32(truncatingIfNeeded: bits)) : self
    }
}

extension IPAddress: CustomStringConvertible {
    /// The text that ``init(_:)`` parses; IPv6 in the form of RFC 5952.
    public var description: String {
        if family == .v4 {
            return stride(from: 24, through: 0, by: -8).map { String(bits >> $0 & 0xff) }.joined(separator: ".")
        }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { space in
            var bigEndian = bits.bigEndian
            guard unsafe inet_ntop(AF_INET6, &bigEndian, space.baseAddress, socklen_t(space.count)) != nil else {
                return ""
            }
            return unsafe space.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
    }
}

/// A range of addresses that start with the same bits.
public struct CIDR: Sendable, Hashable, CustomStringConvertible {
    /// The first address of the range.
    public let base: IPAddress
    /// How many leading bits the addresses share.
    public let prefixLength: Int

    /// Parses `10.0.0.0/8`, `fd00::/8`, or a single address. Bits set after the prefix, as in `10.0.0.1/8`, are taken
    /// for a mistake and give `nil`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = IPAddress(String(parts[0])) else { return nil }
        var length = base.family.bitWidth
        if parts.count == 2 {
            let isNumber = parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) } && (1...3).contains(parts[1].count)
            guard isNumber, let given = Int(parts[1]), given <= length else { return nil }
            length = given
        }
        self.base = base
        prefixLength = length
        if !hostBitsAreZero { return nil }
    }

    private var hostBits: Int { base.family.bitWidth - prefixLength }
    private var hostBitsAreZero: Bool { (base.bits >> hostBits) << hostBits == base.bits }

    /// Whether `address` is in the range. An IPv4 range matches an IPv4-mapped IPv6 address by its IPv4 address.
    public func contains(_ address: IPAddress) -> Bool {
        let address = base.family == .v4 ? address.unmapped : address
        return address.family == base.family && (address.bits ^ base.bits) >> hostBits == 0
    }

    public var description: String { "\(base)/\(prefixLength)" }
}
