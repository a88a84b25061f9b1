#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A call into the system that failed: which one, and why.
public struct SystemCallError: Error, Hashable, CustomStringConvertible {
    /// The function's name, with what it was asked for where that helps: `bind 127.0.0.1:8080`.
    public let call: String
    /// `errno` as the call left it.
    public let code: Int32

    /// Names a failure; read `errno` right after the call, before anything else can change it.
    public init(_ call: String, code: Int32? = nil) {
        self.code = code ?? errno
        self.call = call
    }

    public var description: String { "\(call): \(unsafe String(cString: strerror(code)))" }
}
