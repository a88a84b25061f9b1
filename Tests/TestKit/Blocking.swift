import Dispatch

/// Runs `body`, which blocks, on a thread that may be blocked, and waits for it without blocking the caller's thread.
public func blocking<Success: Sendable>(_ body: @escaping @Sendable () throws -> Success) async throws -> Success {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}

/// The error for something that a test needed and that did not happen.
public struct TestKitError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
