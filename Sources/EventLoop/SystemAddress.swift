internal import CLibevent
internal import Glibc

/// Converts addresses from and to the system's form (`struct sockaddr`).
extension SocketAddress {
    init?(_ storage: sockaddr_storage, length: socklen_t) {
        let address = unsafe withUnsafeBytes(of: storage) { bytes -> SocketAddress? in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let address = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
                return .ipv4(
                    address: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
            case AF_INET6:
                let address = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
                let number = unsafe withUnsafeBytes(of: address.sin6_addr) { unsafe $0.loadUnaligned(as: UInt128.self) }
                return .ipv6(
                    address: UInt128(bigEndian: number), port: UInt16(bigEndian: address.sin6_port),
                    scope: address.sin6_scope_id)
            case AF_UNIX:
                let offset = MemoryLayout<sa_family_t>.size
                let path = unsafe bytes[min(offset, Int(length))..<Int(length)].prefix { $0 != 0 }
                return .unix(path: unsafe String(decoding: path, as: UTF8.self))
            default:
                return nil
            }
        }
        guard let address else { return nil }
        self = address
    }

    /// Calls `body` with the address in the system's form.
    func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .ipv4(let address, let port):
            var value = sockaddr_in()
            value.sin_family = sa_family_t(AF_INET)
            value.sin_port = port.bigEndian
            value.sin_addr.s_addr = address.bigEndian
            return unsafe Self.lend(value, body)
        case .ipv6(let address, let port, let scope):
            var value = sockaddr_in6()
            value.sin6_family = sa_family_t(AF_INET6)
            value.sin6_port = port.bigEndian
            value.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &value.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: address.bigEndian, as: UInt128.self)
            }
            return unsafe Self.lend(value, body)
        case .unix(let path):
            var value = sockaddr_un()
            value.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &value.sun_path) { bytes in
                unsafe bytes.copyBytes(from: path.utf8.prefix(bytes.count - 1))
            }
            return unsafe Self.lend(value, body)
        }
    }

    private static func lend<Value, Result>(
        _ value: Value, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: value) { pointer in
            // Every `sockaddr_…` type starts with the fields of `sockaddr`, which exists for this purpose.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, socklen_t(MemoryLayout<Value>.size))
            }
        }
    }
}
