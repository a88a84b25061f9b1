internal import Base
internal import Crypto
internal import KlingAPI

/// The sessions of signed-in consoles, as cookies.
///
/// A cookie's value is the session's number and end, with their HMAC under a key that only this process has: a restart
/// ends every session. The token is not in it.
final class AdminSessions: Sendable {
    /// The name of the cookie.
    static let cookie = "kling_gateway_session"
    /// How long a session lasts, in seconds.
    static let duration: Int64 = 12 * 3600

    private let key = SymmetricKey(size: .bits256)
    /// The ends of sessions that were signed out of, by the session's number. Only open sessions can be signed out of.
    private let signedOut = Lock<[String: Int64]>([:])

    /// Opens a session.
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: the value of its cookie.
    func open(at now: Int64 = WallClock.milliseconds) -> String {
        let text = "\(UInt64.random(in: .min ... .max)).\(now / 1000 + Self.duration)"
        return "\(text).\(Base64.encode(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key), .urlSafe))"
    }

    /// Whether one of the `Cookie` fields has the value of an open session.
    func isOpen(_ fields: [String], at now: Int64 = WallClock.milliseconds) -> Bool {
        Self.values(in: fields).contains { isOpen(value: $0, at: now) }
    }

    /// Ends the sessions of the `Cookie` fields.
    func close(_ fields: [String], at now: Int64 = WallClock.milliseconds) {
        for session in Self.values(in: fields).compactMap({ session(of: $0, at: now) }) {
            signedOut.withLock { ended in
                ended = ended.filter { $0.value > now / 1000 }
                ended[session.number] = session.end
            }
        }
    }

    private func isOpen(value: String, at now: Int64) -> Bool {
        guard let session = session(of: value, at: now) else { return false }
        return signedOut.withLock { $0[session.number] == nil }
    }

    /// The session that a cookie's value was made for, signed out of or not; nil for any other value.
    private func session(of value: String, at now: Int64) -> (number: String, end: Int64)? {
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let end = Int64(parts[1]), end > now / 1000,
            let code = Base64.decode(parts[2].utf8, .urlSafe),
            HMAC<SHA256>.isValidAuthenticationCode(
                code, authenticating: Array("\(parts[0]).\(parts[1])".utf8), using: key)
        else { return nil }
        return (String(parts[0]), end)
    }

    private static func values(in fields: [String]) -> [String] {
        fields.flatMap { $0.split(separator: ";") }.compactMap { pair in
            let text = pair.drop { $0 == " " }
            return text.hasPrefix(cookie + "=") ? String(text.dropFirst(cookie.count + 1)) : nil
        }
    }
}
