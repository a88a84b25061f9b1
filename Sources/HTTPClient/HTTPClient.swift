public import EventLoop
internal import Synchronization

/// An HTTP client on one event loop. HTTP/1.1 without a proxy goes over connections of its own; everything else goes
/// through libcurl.
///
/// Clients share nothing: use a separate client for requests to hosts that others named.
///
/// The client does not follow redirects, retry, decode, or read the environment: a redirect is an answer, a failed
/// request is an error, and content codings stay. The one exception: a GET is sent again on a new connection if a reused
/// connection turns out to be dead, and so is a POST while no byte of it was written.
public final class HTTPClient: Sendable {
    private let loop: EventLoop
    private let pool: ConnectionPool
    private let http1: HTTP1Pool
    private let isShutDown = Atomic(false)

    /// Makes a client for `loop`. May be called from any thread.
    /// - Throws: ``HTTPClientError`` with ``HTTPClientError/Code/other`` if libcurl cannot be set up.
    public init(loop: EventLoop, configuration: HTTPClientConfiguration = .init()) throws(HTTPClientError) {
        self.loop = loop
        let shares = ConnectionShares(maximum: configuration.maximumConnections)
        pool = try ConnectionPool(loop: loop, configuration: configuration, shares: shares)
        http1 = HTTP1Pool(loop: loop, configuration: configuration, shares: shares)
    }

    deinit { shutdown() }

    /// Sends `request` and waits for the whole answer. Call it from a task on the client's loop, any number at a time.
    ///
    /// Any status is an answer. Cancelling the task ends the transfer at once, and with it an HTTP/1.1 connection, if the
    /// request is ``HTTPClientRequest/isCancellable``.
    public func execute(
        _ request: consuming HTTPClientRequest
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        loop.assertCurrent()
        if Task.isCancelled { throw HTTPClientError(.cancelled, wasSent: false) }
        if let route = http1.route(of: request) {
            let isCancellable = request.isCancellable
            let call = HTTP1Call(request, route: route)
            if isCancellable {
                await startCancellably(call)
            } else {
                await unsafe withUnsafeContinuation { unsafe http1.start(call, $0) }
            }
            // The outcome is kept in the call: passed through the calls above, it would be copied by unspecialized code.
            return try call.takeOutcome().get()
        }
        let (ticket, request) = (pool.nextTicket(), request)
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { pool.start(request, ticket: ticket, $0) }
        } onCancel: {
            // This runs after `start`: the loop gets to it when this task has suspended.
            loop.execute { [pool] in pool.cancel(ticket) }
        }
        return try outcome.get()
    }

    private func startCancellably(_ call: HTTP1Call) async {
        await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation { unsafe http1.start(call, $0) }
        } onCancel: {
            // This runs after `start`: the loop gets to it when this task has suspended.
            loop.execute { [http1] in http1.cancel(call) }
        }
    }

    /// Ends every transfer with ``HTTPClientError/Code/shutDown`` and closes every connection; later requests fail. May
    /// be called from any thread, before the loop is stopped.
    public func shutdown() {
        if isShutDown.exchange(true, ordering: .relaxed) { return }
        let close: @Sendable () -> Void = { [pool, http1] in
            pool.close()
            http1.close()
        }
        if loop.isCurrent { close() } else { loop.execute(close) }
    }

    /// Returns the client's figures, for metrics.
    public func statistics() async -> HTTPClientStatistics {
        await loop.run { [pool, http1] in pool.statistics + http1.statistics }
    }
}
