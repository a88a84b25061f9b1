internal import Glibc

/// A system call that failed, and its error code.
public struct SystemCallError: Error, Hashable, CustomStringConvertible {
    /// The function's name, with its argument where that helps: `bind 127.0.0.1:8080`.
    public let call: String
    /// The `errno` of the call.
    public let code: Int32

    /// Makes an error with `code`, or with `errno` if it is nil. Without `code`, call this right after the failed
    /// call, before anything else can change `errno`.
    public init(_ call: String, code: Int32? = nil) {
        self.code = code ?? errno
        self.call = call
    }

    public var description: String { "\(call): \(unsafe String(cString: strerror(code)))" }
}
