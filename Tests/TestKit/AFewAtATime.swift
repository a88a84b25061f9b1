import Base
import Testing

/// Limits how many tests of the suites that have it run at once: each of them starts programs, and starved programs
/// miss the deadlines that are tested.
public struct AFewAtATime: SuiteTrait, TestTrait, TestScoping {
    public let isRecursive = true

    private static let semaphore = Semaphore(6)

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.semaphore.enter()
        defer { Self.semaphore.leave() }
        try await function()
    }
}

extension Trait where Self == AFewAtATime {
    /// Limits how many tests of such suites run at once.
    public static var aFewAtATime: AFewAtATime { AFewAtATime() }
}

/// A semaphore that serves its waiters in order.
private final class Semaphore: Sendable {
    private let state: Lock<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

    init(_ count: Int) { state = Lock((count, [])) }

    func enter() async {
        await withCheckedContinuation { continuation in
            let isIn = state.withLock { state in
                if state.free == 0 {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isIn { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
