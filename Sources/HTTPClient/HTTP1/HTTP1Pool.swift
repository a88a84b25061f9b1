internal import Base
internal import EventLoop
internal import Sockets

/// The HTTP/1.1 connections of one client, and the calls in flight on them. Loop-confined.
///
/// A call takes an idle connection to its destination, or makes a new one if the limits allow that, or waits.
@safe final class HTTP1Pool: @unchecked Sendable {
    // @unchecked: everything except `init` is called on the loop's thread, which the entry points check.
    let loop: EventLoop
    let resolver: NameResolver
    /// The buffer that every connection reads into; its content is used before the next read.
    let space: UnsafeMutableRawBufferPointer
    /// What TLS connections share.
    let tls = TLSClientContexts()
    var counters = HTTPClientStatistics()
    private let configuration: HTTPClientConfiguration
    private let shares: ConnectionShares
    private var routes = HTTP1Routes()
    private var calls: [HTTP1Call] = []
    private var queue = CallQueue()
    private var heads = HeadBuffers()
    private var idleConnections = 0
    private var isServing = false
    private var isClosed = false
    private var timer: DeadlineTimer?

    init(loop: EventLoop, configuration: HTTPClientConfiguration, shares: ConnectionShares) {
        (self.loop, self.configuration, self.shares) = (loop, configuration, shares)
        resolver = NameResolver(loop: loop, cacheTime: configuration.nameCacheTime)
        unsafe space = .allocate(byteCount: 64 << 10, alignment: 64)
    }

    deinit { unsafe space.deallocate() }

    // MARK: Calls

    /// The route of a request; nil if it is libcurl's.
    func route(of request: HTTPClientRequest) -> HTTP1Route? {
        guard request.version == .http1, request.proxy == nil else { return nil }
        return routes.route(request.url, caFile: request.caFile)
    }

    /// Starts a call; `waiter` is resumed once, possibly before this returns.
    func start(_ call: HTTP1Call, _ waiter: UnsafeContinuation<Void, Never>) {
        loop.assertCurrent()
        call.place = calls.count
        calls.append(call)
        do throws(HTTPClientError) {
            unsafe try call.prepare(heads.take(), waiter)
            if isClosed { throw HTTPClientError(.shutDown, wasSent: false) }
            requireTimer(at: call.deadline)
            place(call)
        } catch {
            end(call, .failure(error))
        }
    }

    /// Cancels a call; does nothing if it has ended.
    func cancel(_ call: HTTP1Call) {
        loop.assertCurrent()
        abandon(call, .cancelled)
    }

    private func place(_ call: HTTP1Call) {
        let destination = call.route.destination
        while !call.needsNewConnection, let connection = destination.takeIdle(call.request.addressPolicy) {
            idleConnections -= 1
            // A call that has been on a connection needs a new one: this one has just started.
            if connection.isQuiet(at: call.started) { return begin(call, on: connection) }
            discard(connection)
        }
        if makeRoom(at: destination) { return connect(call) }
        if !queue.isFull { return queue.add(call) }
        end(call, .failure(HTTPClientError(.connect, wasSent: call.wasSent, detail: "too many requests are waiting")))
    }

    private func begin(_ call: HTTP1Call, on connection: HTTP1Connection) {
        if call.request.stall != nil {
            call.beginProgress(at: .now)
            requireTimer(at: call.deadline)
        }
        connection.begin(
            call,
            limits: .init(
                configuration, bodyBytes: call.request.maximumAnswer, keepsBody: call.request.keepsAnswer))
    }

    private func end(_ call: HTTP1Call, _ outcome: Outcome) {
        // The last call takes its place.
        if let last = calls.popLast(), last !== call {
            calls[call.place] = last
            last.place = call.place
        }
        if case .success = outcome { counters.succeededTransfers += 1 } else { counters.failedTransfers += 1 }
        heads.giveBack(call.end(outcome))
    }

    /// Ends a call from outside, wherever it is.
    private func abandon(_ call: HTTP1Call, _ code: HTTPClientError.Code, _ detail: String = "") {
        let destination = call.route.destination
        var losesConnection = false
        var outcome: Outcome?
        switch call.stage {
        case .new: break
        case .waiting: queue.ended(call)
        case .connecting(let connector):
            connector.abort()
            losesConnection = true
        case .exchanging(let connection):
            if let exchange = connection.drop() {
                count(exchange, of: call)
                // The answer came before the request was written.
                if code == .timeout, exchange.answer.isComplete {
                    outcome = .success(call.response(exchange.answer, connection, at: .now))
                }
            }
            losesConnection = true
        case .ended: return
        }
        end(call, outcome ?? .failure(HTTPClientError(code, wasSent: call.wasSent, detail: detail)))
        if losesConnection { lost(destination) }
    }

    private func count(_ exchange: Exchange, of call: HTTP1Call) {
        call.wasSent = call.wasSent || exchange.wasSent
        counters.sentBodyBytes += max(0, exchange.written - call.head.count)
        counters.receivedBodyBytes += exchange.answer.bodyCount
    }

    // MARK: Connections

    private func connect(_ call: HTTP1Call) {
        call.route.destination.connections += 1
        shares.http1 += 1
        let connector = Connector(call, pool: self)
        call.stage = .connecting(connector)
        connector.start()
    }

    /// Takes over what a connector has made.
    func connected(_ connector: Connector, _ transport: Transport, _ peer: IPAddress) {
        let destination = connector.call.route.destination
        begin(connector.call, on: HTTP1Connection(transport, peer: peer, destination: destination, pool: self))
    }

    func connectFailed(_ connector: Connector, _ error: HTTPClientError) {
        end(connector.call, .failure(error))
        lost(connector.call.route.destination)
    }

    /// Does what an exchange that has ended asks for.
    func exchangeEnded(
        _ connection: HTTP1Connection, _ call: HTTP1Call, _ exchange: Exchange, _ action: Exchange.Action
    ) {
        count(exchange, of: call)
        switch action {
        case .proceed: break
        case .deliver:
            end(call, .success(call.response(exchange.answer, connection, at: connection.idleSince)))
            if exchange.keepsConnection { free(connection) } else { discard(connection) }
        case .sendElsewhere:
            call.restart()
            discard(connection)
            place(call)
        case .fail(let code, let detail):
            end(call, .failure(HTTPClientError(code, wasSent: call.wasSent, detail: detail)))
            discard(connection)
        }
    }

    /// Gives a connection to a call that waits for it, or keeps it.
    private func free(_ connection: HTTP1Connection) {
        if let next = queue.take(for: connection) { return begin(next, on: connection) }
        let destination = connection.destination
        if isClosed || queue.hasCall(below: configuration.maximumConnectionsPerHost, closing: destination) {
            return discard(connection)
        }
        destination.keep(connection)
        idleConnections += 1
        if idleConnections > configuration.maximumIdleConnections, let oldest = oldestIdle { closeIdle(oldest) }
        requireTimer(at: connection.idleSince + configuration.idleTimeout)
    }

    /// Closes an idle connection, such as one that has ended.
    func closeIdle(_ connection: HTTP1Connection) {
        connection.destination.forget(connection)
        idleConnections -= 1
        discard(connection)
    }

    private func discard(_ connection: HTTP1Connection) {
        connection.close()
        lost(connection.destination)
    }

    /// Notes that a destination has a connection less, and serves calls that wait.
    private func lost(_ destination: Destination) {
        destination.connections -= 1
        shares.http1 -= 1
        // A call that fails at once would come back here: the loop below goes on with the next one.
        if isServing || isClosed { return }
        isServing = true
        defer { isServing = false }
        while queue.count > 0, shares.http1 < shares.http1Limit,
            let call = queue.takeFirst(below: configuration.maximumConnectionsPerHost)
        {
            connect(call)
        }
    }

    /// Whether a destination may get another connection; closes idle ones for it.
    private func makeRoom(at destination: Destination) -> Bool {
        let wasServing = isServing
        isServing = true
        defer { isServing = wasServing }
        if destination.connections >= configuration.maximumConnectionsPerHost {
            guard let oldest = destination.oldestIdle else { return false }
            closeIdle(oldest)
        }
        if shares.http1 >= shares.http1Limit {
            guard let oldest = oldestIdle else { return false }
            closeIdle(oldest)
        }
        return true
    }

    private var oldestIdle: HTTP1Connection? {
        idleConnections == 0
            ? nil : routes.destinations.lazy.compactMap(\.oldestIdle).min { $0.idleSince < $1.idleSince }
    }

    // MARK: Deadlines

    private func requireTimer(at deadline: MonotonicTime) {
        let timer = timer ?? DeadlineTimer(loop: loop) { [unowned self] in endDue(at: $0) }
        self.timer = timer
        timer.require(deadline)
    }

    private func endDue(at now: MonotonicTime) -> MonotonicTime? {
        for call in calls.filter({ $0.isDue(at: now) }) { abandon(call, .timeout, "the request took too long") }
        while let oldest = oldestIdle, oldest.idleSince + configuration.idleTimeout <= now { closeIdle(oldest) }
        let idle = oldestIdle.map { $0.idleSince + configuration.idleTimeout }
        return [calls.lazy.map(\.deadline).min(), idle].compactMap(\.self).min()
    }

    // MARK: End

    /// The pool's figures.
    var statistics: HTTPClientStatistics {
        var figures = counters
        figures.activeTransfers = calls.count
        figures.openConnections = shares.http1
        return figures
    }

    /// Ends all calls and closes all connections.
    func close() {
        loop.assertCurrent()
        guard !isClosed else { return }
        isClosed = true
        for call in calls { abandon(call, .shutDown) }
        while let oldest = oldestIdle { closeIdle(oldest) }
        (timer, routes) = (nil, HTTP1Routes())
    }
}
