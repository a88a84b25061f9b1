#if THREAD_SANITIZER
internal import Foundation
#else
internal import Synchronization
#endif

/// A value that only one thread at a time may access.
///
/// Hold it only for a few loads and stores: never call C that may block, resume a continuation or wait while holding
/// it.
///
/// It is `Synchronization.Mutex`. Under the thread sanitizer, which does not understand that type and reports races in
/// correct code, it is `NSLock`, a `pthread_mutex_t` (build with `-D THREAD_SANITIZER`).
public final class Lock<State>: @unchecked Sendable {
    // @unchecked: `state` is only accessed in `withLock`, which admits one thread at a time.
    #if THREAD_SANITIZER
    private let mutex = NSLock()
    private var state: State

    /// Makes a lock around `state`.
    public init(_ state: sending State) { self.state = state }

    /// Calls `body` with the state while holding the lock.
    public func withLock<Result, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        mutex.lock()
        defer { mutex.unlock() }
        return try body(&state)
    }
    #else
    private let mutex: Mutex<State>

    /// Makes a lock around `state`.
    public init(_ state: sending State) { mutex = Mutex(state) }

    /// Calls `body` with the state while holding the lock.
    public func withLock<Result, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock(body)
    }
    #endif
}
