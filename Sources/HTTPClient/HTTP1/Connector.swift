internal import Base
internal import EventLoop
internal import Sockets

/// Makes the connection for one call: name look-up, TCP, TLS. Loop-confined. It owns its sockets until the pool takes
/// the connection over.
final class Connector {
    private struct Attempt {
        let descriptor: Int32
        let address: IPAddress
        let watch: SocketWatch
    }

    let call: HTTP1Call
    private unowned let pool: HTTP1Pool
    private let deadline: MonotonicTime
    private var lookUp: UInt64?
    private var addresses: ArraySlice<IPAddress> = []
    private var attempts: [Attempt] = []
    private var nextAttempt: MonotonicTime?
    private var failure = "the host has no address that can be tried"
    private var handshake: Handshake?
    private var hasEnded = false
    private lazy var timer = Timer(loop: pool.loop) { [unowned self] in timerFired() }

    /// How long an address is tried alone before the next one is tried as well (RFC 8305 §5).
    private static let headStart = Duration.milliseconds(250)
    /// How many addresses are tried at a time: a connection that is being made counts as two descriptors.
    private static let concurrentAttempts = 2

    init(_ call: HTTP1Call, pool: HTTP1Pool) {
        (self.call, self.pool) = (call, pool)
        deadline = .now + call.request.connectTimeout
    }

    private var origin: HTTP1Target.Origin { call.route.destination.origin }

    /// Begins, and tells the pool how it ended, possibly before this returns.
    func start() {
        if let known = pool.resolver.addresses(of: origin.host) { return connect(to: known) }
        timer.arm(after: call.request.connectTimeout)
        lookUp = pool.resolver.lookUp(origin.host) { [unowned self] found in
            lookUp = nil
            connect(to: found)
        }
    }

    /// Gives up, without telling the pool.
    func abort() {
        hasEnded = true
        timer.cancel()
        if let lookUp { pool.resolver.cancel(lookUp, of: origin.host) }
        closeAttempts()
        handshake?.abort()
        handshake = nil
    }

    private func fail(_ code: HTTPClientError.Code, _ detail: String) {
        if hasEnded { return }
        abort()
        pool.connectFailed(self, HTTPClientError(code, wasSent: call.wasSent, detail: detail))
    }

    // MARK: TCP

    private func connect(to found: [IPAddress]?) {
        guard let found else { return fail(.nameLookup, "the host's name has no address") }
        call.timings.nameLookup = call.elapsed
        addresses = found.filter(call.request.addressPolicy.permits)[...]
        pool.counters.refusedAddresses += found.count - addresses.count
        if addresses.isEmpty { return fail(.addressRefused, "the policy forbids the host's address") }
        tryNext()
    }

    /// Tries the next address that the system accepts.
    private func tryNext() {
        while attempts.count < Self.concurrentAttempts, let address = addresses.popFirst() {
            do throws(SystemCallError) {
                let descriptor = try ConnectingSocket.open(to: SocketAddress(address, port: origin.port))
                pool.counters.connectionsOpened += 1
                let watch = SocketWatch(loop: pool.loop, descriptor: descriptor, events: .write) { [unowned self] _ in
                    attemptEnded(descriptor)
                }
                attempts.append(Attempt(descriptor: descriptor, address: address, watch: watch))
                break
            } catch { failure = error.description }
        }
        if attempts.isEmpty { return fail(.connect, failure) }
        let canTryMore = attempts.count < Self.concurrentAttempts && !addresses.isEmpty
        nextAttempt = canTryMore ? .now + Self.headStart : nil
        timer.arm(after: max(.zero, min(nextAttempt ?? deadline, deadline) - .now))
    }

    private func attemptEnded(_ descriptor: Int32) {
        guard let index = attempts.firstIndex(where: { $0.descriptor == descriptor }) else { return }
        let attempt = attempts.remove(at: index)
        // Its number may be given to the next socket at once.
        attempt.watch.pause()
        let address = SocketAddress(attempt.address, port: origin.port)
        if let error = ConnectingSocket.failure(of: descriptor, address) {
            failure = error.description
            Transport.plain(descriptor: descriptor).close()
            return tryNext()
        }
        closeAttempts()
        connected(descriptor, attempt.address)
    }

    private func closeAttempts() {
        let rest = attempts
        attempts = []
        for attempt in rest {
            attempt.watch.pause()
            Transport.plain(descriptor: attempt.descriptor).close()
        }
    }

    private func connected(_ descriptor: Int32, _ address: IPAddress) {
        ConnectingSocket.setOptions(descriptor)
        call.timings.connect = call.elapsed
        nextAttempt = nil
        timer.arm(after: max(.zero, deadline - .now))
        guard origin.isSecure else { return finish(.plain(descriptor: descriptor), address) }
        do throws(HTTPClientError) {
            let context = try pool.tls.context(call.request.caFile)
            let session = try context.makeSession(host: origin.host, descriptor: descriptor)
            if let ticket = call.route.destination.ticket(for: context) { session.resume(ticket) }
            let handshake = Handshake(session, pool: pool) { [unowned self] failure in
                if let failure { return fail(.tls, failure) }
                self.handshake = nil
                call.timings.tls = call.elapsed
                finish(.tls(session), address)
            }
            self.handshake = handshake
            handshake.proceed()
        } catch {
            Transport.plain(descriptor: descriptor).close()
            fail(error.code, error.detail)
        }
    }

    private func finish(_ transport: Transport, _ address: IPAddress) {
        hasEnded = true
        timer.cancel()
        pool.connected(self, transport, address)
    }

    private func timerFired() {
        let now = MonotonicTime.now
        if now >= deadline { return fail(.timeout, "no connection was made in time") }
        if let nextAttempt, now >= nextAttempt { return tryNext() }
        timer.arm(after: max(.milliseconds(1), min(nextAttempt ?? deadline, deadline) - now))
    }
}
