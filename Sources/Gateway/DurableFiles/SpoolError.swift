internal import Glibc

/// Why an operation on a folder of files failed.
public struct SpoolError: Error, Equatable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// The disk, or the owner's share of it, is full.
        case full
        /// The bodies of all gateways together may not be more.
        case noRoom
        /// The folder or the disk can't be written to or read.
        case readOnly
        /// There is no such file.
        case missing
        /// The file doesn't contain what was written.
        case damaged
        /// Another gateway uses the folder.
        case inUse
        /// The disk doesn't work as it should.
        case unavailable
    }

    public let code: Code
    /// What happened, for logs and for the operator's terminal. It names files, so it must never reach a client.
    public let detail: String

    /// Creates an error from the `errno` of a system call on `path`.
    init(_ what: String, _ path: String, errno code: Int32) {
        switch code {
        case ENOSPC, EDQUOT: self.code = .full
        case EACCES, EPERM, EROFS: self.code = .readOnly
        case ENOENT: self.code = .missing
        default: self.code = .unavailable
        }
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
        detail = "\(what) \(path): \(reason)"
    }

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    public var description: String { detail }
}
