internal import Base
internal import CCurl
internal import EventLoop

/// One `CURLM` on one loop: its connections, its handles, and the transfers in flight.
@safe final class ConnectionPool: @unchecked Sendable {
    // @unchecked: everything except `init` is called on the loop's thread, which each entry point checks.
    private let loop: EventLoop
    private let configuration: HTTPClientConfiguration
    private let shares: ConnectionShares
    private let multi: UnsafeMutableRawPointer
    private let share: UnsafeMutableRawPointer
    private var sockets: SocketTable?
    private var clock: PoolClock?
    private var idle: [Transfer] = []
    private var active: [UInt64: Transfer] = [:]
    private var lastTicket: UInt64 = 0
    private var isClosed = false
    private var counters = HTTPClientStatistics()

    /// How many idle handles are kept to reuse their memory.
    private static let idleHandles = 64
    /// How many times in a row libcurl is called for "at once" timers before the loop gets its turn.
    private static let timeoutsPerTurn = 16

    /// Whether libcurl is set up for the process, which happens once.
    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(
        loop: EventLoop, configuration: HTTPClientConfiguration, shares: ConnectionShares
    ) throws(HTTPClientError) {
        guard Self.isLibraryReady, let multi = unsafe curl_multi_init(), let share = unsafe curl_share_init() else {
            throw HTTPClientError(.other, wasSent: false, detail: "libcurl cannot be set up")
        }
        self.loop = loop
        self.configuration = configuration
        self.shares = shares
        unsafe self.multi = multi
        unsafe self.share = share
        setOptions()
    }

    deinit {
        // A closed pool has already freed its handles and connections.
        if !isClosed { freeHandles() }
    }

    private func setOptions() {
        // The pool outlives its multi handle, which it cleans up in `close` or `deinit`, so the pointer stays valid.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        unsafe ccurl_multi_set_socket(multi, onInterestChange)
        unsafe ccurl_multi_set_timer(multi, onTimeoutChange)
        let limits = [
            (CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maximumConnectionsPerHost),
            (CURLMOPT_MAXCONNECTS, configuration.maximumIdleConnections),
        ]
        for (option, value) in limits { unsafe ccurl_multi_set_long(multi, option, value) }
        unsafe ccurl_share(share, CURL_LOCK_DATA_SSL_SESSION)
    }

    // MARK: Transfers

    /// Returns an id for the next transfer.
    func nextTicket() -> UInt64 {
        loop.assertCurrent()
        lastTicket += 1
        return lastTicket
    }

    /// Starts a transfer; `waiter` is resumed once, possibly before this returns.
    func start(_ request: HTTPClientRequest, ticket: UInt64, _ waiter: CheckedContinuation<Outcome, Never>) {
        loop.assertCurrent()
        do throws(HTTPClientError) {
            let transfer = try readyTransfer(request, ticket: ticket)
            transfer.begin(waiter)
            unsafe ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, shares.libcurlLimit)
            active[ticket] = transfer
            if unsafe curl_multi_add_handle(multi, transfer.handle.raw) != CURLM_OK {
                end(transfer, .failure(.noMemory))
            }
            settle()
        } catch {
            counters.failedTransfers += 1
            waiter.resume(returning: .failure(error))
        }
    }

    private func readyTransfer(_ request: HTTPClientRequest, ticket: UInt64) throws(HTTPClientError) -> Transfer {
        if isClosed { throw HTTPClientError(.shutDown, wasSent: false) }
        let transfer = if let known = idle.popLast() { known } else { try newTransfer() }
        do throws(HTTPClientError) {
            try transfer.prepare(request, ticket: ticket)
        } catch {
            idle.append(transfer)
            throw error
        }
        return transfer
    }

    private func newTransfer() throws(HTTPClientError) -> Transfer {
        try unsafe Transfer(configuration: configuration, sockets: openTable(), share: share)
    }

    private func openTable() -> SocketTable {
        if let sockets { return sockets }
        let table = SocketTable(loop: loop) { [unowned self] in isReady($0, $1) }
        sockets = table
        shares.libcurl = table
        return table
    }

    /// Cancels a transfer; does nothing if it has ended.
    func cancel(_ ticket: UInt64) {
        loop.assertCurrent()
        guard let transfer = active[ticket] else { return }
        end(transfer, .failure(HTTPClientError(.cancelled, wasSent: transfer.wasSent)))
        settle()
    }

    private func end(_ transfer: Transfer, _ outcome: Outcome) {
        unsafe curl_multi_remove_handle(multi, transfer.handle.raw)
        active[transfer.ticket] = nil
        count(transfer, outcome)
        transfer.finish(outcome)
        if transfer.isWorthKeeping, idle.count < Self.idleHandles { idle.append(transfer) }
    }

    private func count(_ transfer: Transfer, _ outcome: Outcome) {
        if case .success = outcome { counters.succeededTransfers += 1 } else { counters.failedTransfers += 1 }
        counters.sentBodyBytes += transfer.traffic.sent
        counters.receivedBodyBytes += transfer.traffic.received
        counters.refusedAddresses += transfer.addressesRefused
    }

    var statistics: HTTPClientStatistics {
        loop.assertCurrent()
        var figures = counters
        figures.activeTransfers = active.count
        figures.openConnections = sockets?.openConnections ?? 0
        figures.connectionsOpened = sockets?.connectionsOpened ?? 0
        return figures
    }

    // MARK: Driving libcurl

    private func isReady(_ descriptor: Int32, _ events: SocketEvents) {
        let mask = (events.contains(.read) ? CURL_CSELECT_IN : 0) | (events.contains(.write) ? CURL_CSELECT_OUT : 0)
        act(descriptor, mask)
        settle()
    }

    private func act(_ descriptor: curl_socket_t, _ events: Int32) {
        var running: Int32 = 0
        unsafe curl_multi_socket_action(multi, descriptor, events, &running)
    }

    /// Runs what libcurl wants to run at once, instead of arming a timer of 0 ms, and ends the finished transfers.
    private func settle() {
        endFinished()
        var rounds = 0
        while clock?.isDueNow == true, rounds < Self.timeoutsPerTurn {
            clock?.isDueNow = false
            act(CURL_SOCKET_TIMEOUT, 0)
            endFinished()
            rounds += 1
        }
        clock?.settle()
    }

    private func endFinished() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            // The message is invalid once its handle is removed.
            let result = unsafe ccurl_result(message)
            guard let transfer = unsafe Transfer.of(message.pointee.easy_handle) else { continue }
            end(transfer, transfer.outcome(result))
        }
    }

    fileprivate func watch(_ descriptor: Int32, for interest: Int32) {
        sockets?.watch(descriptor, for: interest)
    }

    fileprivate func setTimeout(milliseconds: Int) {
        if clock == nil {
            clock = PoolClock(loop: loop) { [unowned self] in settle() }
        }
        clock?.set(milliseconds: milliseconds)
    }

    // MARK: Shutdown

    /// Ends all transfers and closes all connections.
    func close() {
        loop.assertCurrent()
        guard !isClosed else { return }
        isClosed = true
        for transfer in Array(active.values) {
            end(transfer, .failure(HTTPClientError(.shutDown, wasSent: transfer.wasSent)))
        }
        freeHandles()
    }

    private func freeHandles() {
        idle = []
        // Closes the connections, each through the socket table.
        unsafe curl_multi_cleanup(multi)
        unsafe curl_share_cleanup(share)
        clock = nil
    }
}

// MARK: C callbacks: the pool outlives its multi handle

private func pool(_ context: UnsafeMutableRawPointer?) -> ConnectionPool {
    guard let context = unsafe context else { preconditionFailure("libcurl has lost its context") }
    return unsafe Unmanaged<ConnectionPool>.fromOpaque(context).takeUnretainedValue()
}

private func onInterestChange(
    _: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t, _ interest: Int32, _ context: UnsafeMutableRawPointer?,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe pool(context).watch(descriptor, for: interest)
    return 0
}

private func onTimeoutChange(
    _: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe pool(context).setTimeout(milliseconds: milliseconds)
    return 0
}
