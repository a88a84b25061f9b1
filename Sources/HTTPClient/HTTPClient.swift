public import EventLoop
internal import Synchronization

/// An HTTP client on libcurl's multi-socket interface: one connection pool on one event loop.
///
/// Clients share nothing: requests to hosts that others have named belong to a client of their own.
///
/// Nothing is followed, retried, decoded or taken from the environment on its own: redirects are answers, a failed
/// request is an error, content codings stay. The one exception is libcurl's own: a GET on a reused connection that
/// turns out to be dead is sent again on a fresh one.
public final class HTTPClient: Sendable {
    private let loop: EventLoop
    private let pool: ConnectionPool
    private let isShutDown = Atomic(false)

    /// Makes a client for `loop`. From any thread.
    /// - Throws: ``HTTPClientError`` with ``HTTPClientError/Code/other`` if libcurl cannot be set up.
    public init(loop: EventLoop, configuration: HTTPClientConfiguration = .init()) throws(HTTPClientError) {
        self.loop = loop
        pool = try ConnectionPool(loop: loop, configuration: configuration)
    }

    deinit { shutdown() }

    /// Sends `request` and waits for the whole answer. From a task on the client's loop, any number at a time.
    ///
    /// Any status is an answer. When the task is cancelled the transfer ends at once, and with it an HTTP/1.1
    /// connection.
    public func execute(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
        loop.assertCurrent()
        if Task.isCancelled { throw HTTPClientError(.cancelled, wasSent: false) }
        let ticket = pool.nextTicket()
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { pool.start(request, ticket: ticket, $0) }
        } onCancel: {
            // It runs after `start`, as the loop comes to it when this task lets go of the thread.
            loop.execute { [pool] in pool.cancel(ticket) }
        }
        return try outcome.get()
    }

    /// Ends every transfer with ``HTTPClientError/Code/shutDown`` and closes every connection; later requests fail.
    /// From any thread; call it before the loop is stopped.
    public func shutdown() {
        if isShutDown.exchange(true, ordering: .relaxed) { return }
        if loop.isCurrent { pool.close() } else { loop.execute { [pool] in pool.close() } }
    }

    /// What the client is doing and has done.
    public func statistics() async -> HTTPClientStatistics {
        await loop.run { [pool] in pool.statistics }
    }
}
