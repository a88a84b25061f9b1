internal import Base

/// The address of a listener.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A numeric address, without brackets, and a port; port 0 lets the system choose.
    case tcp(host: String, port: UInt16)
    /// A Unix domain socket.
    case unix(path: String)

    /// The longest path that fits a `sockaddr_un` on every system.
    private static let longestPath = 103

    /// Reads `192.0.2.1:8080`, `[::]:8080`, `localhost:8080` (127.0.0.1), `:8080` (every address) or `unix:/path`.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            guard path.hasPrefix("/"), path.utf8.count <= Self.longestPath, !path.utf8.contains(0) else { return nil }
            self = .unix(path: String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]),
            let host = Self.host(text[..<colon])
        else { return nil }
        self = .tcp(host: host, port: port)
    }

    private static func port(_ text: Substring) -> UInt16? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt16(text) : nil
    }

    private static func host(_ text: Substring) -> String? {
        switch text {
        case "": return "::"
        case "localhost": return "127.0.0.1"
        default: break
        }
        if text.first == "[", text.last == "]" {
            let inner = String(text.dropFirst().dropLast())
            return IPAddress(inner)?.family == .v6 ? inner : nil
        }
        return IPAddress(String(text))?.family == .v4 ? String(text) : nil
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
