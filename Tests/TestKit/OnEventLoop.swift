import EventLoop
import Testing

/// Runs each test of a suite on an event loop of its own, as the gateway runs everything. Tasks are resumed through the
/// loop's inbox, which the thread sanitizer sees, while it does not see through Dispatch's queues.
public struct OnEventLoop: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        let loop = try EventLoop(name: "test")
        defer { loop.stop() }
        try await withTaskExecutorPreference(loop) { try await function() }
    }
}

extension Trait where Self == OnEventLoop {
    /// Runs each test on an event loop of its own.
    public static var onEventLoop: OnEventLoop { OnEventLoop() }
}
