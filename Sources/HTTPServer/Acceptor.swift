internal import Base
internal import EventLoop
internal import Glibc

/// Accepts connections on the first loop and distributes them over all loops. Loop-confined.
final class Acceptor: @unchecked Sendable {
    // @unchecked: all mutable state is only accessed on `loop`.
    let loop: EventLoop
    private let contexts: [LoopContext]
    private let ledger: ConnectionLedger
    private let tls: TLSContext?
    private let log: @Sendable (HTTPServerNotice) -> Void
    private var listeners: [(socket: ListeningSocket, watch: SocketWatch)] = []
    private var relief: Task<Void, Never>?
    private var room: WaitingRoom<Guest>
    private let spare = SpareDescriptor()
    private var hasStopped = false
    private var quietUntil = (exhausted: MonotonicTime.now, crowded: MonotonicTime.now, full: MonotonicTime.now)

    private struct Guest {
        let descriptor: Int32
        let peer: SocketAddress
        let tls: TLSContext?
    }

    /// Connections accepted before other sockets get their turn.
    private static let batch = 64
    /// How long further notices of the same kind are suppressed.
    private static let quiet = Duration.seconds(10)
    /// How long accepting pauses when the system is out of resources and no connection is idle.
    private static let rest = Duration.milliseconds(250)
    /// How many idle connections are closed when the system is out of resources.
    private static let closedForRelief = 16

    init(
        loop: EventLoop, contexts: [LoopContext], ledger: ConnectionLedger, tls: TLSContext?,
        log: @escaping @Sendable (HTTPServerNotice) -> Void
    ) {
        self.loop = loop
        self.contexts = contexts
        self.ledger = ledger
        self.tls = tls
        self.log = log
        room = WaitingRoom(capacity: ledger.limit > 0 ? WaitingPlaces.count(besides: ledger.limit) : 1)
    }

    func listen(_ configuration: HTTPServerConfiguration) throws(HTTPServerError) -> [SocketAddress] {
        do throws(HTTPServerError) {
            for address in configuration.addresses { try listen(address, configuration) }
        } catch {
            stop()
            throw error
        }
        return listeners.map(\.socket.address)
    }

    private func listen(
        _ address: SocketAddress, _ configuration: HTTPServerConfiguration
    ) throws(HTTPServerError) {
        let sharesPort = configuration.addresses.contains { other in
            if case .ipv4 = other { return other.port == address.port }
            return false
        }
        do throws(SystemCallError) {
            let socket = try ListeningSocket(
                address: address, mode: configuration.unixSocketMode, isDual: !sharesPort)
            let watch = SocketWatch(loop: loop, descriptor: socket.descriptor, events: .read) { [weak self] in
                _ = $0
                self?.accept(from: socket)
            }
            listeners.append((socket, watch))
            if !watch.isWatching { throw SystemCallError("event_add", code: ENOMEM) }
        } catch {
            throw error.code == EADDRINUSE ? .addressInUse(address) : .cannotListen(address, error)
        }
    }

    /// Refuses the connections in the waiting room, accepts those that the system still holds, then closes the
    /// listeners.
    func stop() {
        hasStopped = true
        for guest in room.leave() { refuse(guest) }
        for (socket, watch) in listeners {
            watch.pause()
            while take(from: socket) {}
            socket.close()
        }
        listeners = []
        relief?.cancel()
    }

    private func accept(from socket: ListeningSocket) {
        for _ in 0..<Self.batch {
            // The rest wait in the system's queue until the current round of closing ends.
            if room.isFull { return pauseListeners() }
            if !take(from: socket) { return }
        }
    }

    /// - Returns: whether more connections may be waiting.
    private func take(from socket: ListeningSocket) -> Bool {
        let connection: (descriptor: Int32, peer: SocketAddress)
        do throws(SystemCallError) {
            connection = try socket.accept()
        } catch {
            switch error.code {
            case EAGAIN, EWOULDBLOCK: return false
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // The system allocates a descriptor before it checks whether a connection is waiting.
                if !hasStopped, socket.hasWaiting { handleExhaustion(error) }
                return false
            // The client left before it was accepted, or the system forbids it: the next one may be fine.
            default: return true
            }
        }
        admit(
            Guest(
                descriptor: connection.descriptor, peer: connection.peer,
                tls: socket.address.port == nil ? nil : tls))
        return true
    }

    private func admit(_ guest: Guest) {
        do throws(ConnectionLedger.Refusal) {
            let context = contexts[try ledger.enter(guest.peer)]
            context.loop.execute { context.adopt(guest.descriptor, peer: guest.peer, tls: guest.tls) }
        } catch {
            switch error {
            case .fullForAddress: Self.refuse(guest)
            case .full where hasStopped: refuse(guest)
            case .full:
                switch room.enter(guest, at: .now) {
                case .wait: break
                case .makeRoom: makeRoom()
                case .refuse: refuse(guest)
                }
            }
        }
    }

    /// Has the loops close the connections that have been idle longest, then admits the waiting ones.
    private func makeRoom() {
        // A few more than needed now: searching the connections costs the same for one as for many.
        let wanted = room.count + ledger.limit / 128
        loop.spawn { [self] in
            let closed = await closeMostIdle(wanted)
            if closed > 0 { log(.crowded(limit: ledger.limit), quietUntil: &quietUntil.crowded) }
            for guest in room.roundEnded(closed: closed, at: .now) { admit(guest) }
            if relief == nil, !room.isFull { resumeListeners() }
        }
    }

    /// - Returns: how many idle connections were closed, at least `wanted` if there are that many.
    private func closeMostIdle(_ wanted: Int) async -> Int {
        var idle = IdleCensus(wanted: wanted)
        for context in contexts { idle.add(await context.loop.run { context.idle(wanted) }) }
        guard let cut = idle.cut(of: ledger.statistics.open) else { return 0 }
        var closed = 0
        for context in contexts { closed += await context.loop.run { context.closeIdle(cut) } }
        ledger.closedForRoom(closed)
        return closed
    }

    /// Closes idle connections when the system has no descriptor or memory for another one.
    ///
    /// If none is idle, the waiting connections are refused and accepting pauses: otherwise a level-triggered listener
    /// would be reported again at once, endlessly.
    private func handleExhaustion(_ error: SystemCallError) {
        log(.exhausted(error), quietUntil: &quietUntil.exhausted)
        pauseListeners()
        guard relief == nil else { return }
        relief = loop.spawn { [self] in
            if await closeMostIdle(Self.closedForRelief) == 0 {
                for listener in listeners { refuseWaiting(at: listener.socket) }
                try? await loop.sleep(for: Self.rest)
            }
            relief = nil
            resumeListeners()
        }
    }

    private func refuseWaiting(at socket: ListeningSocket) {
        var isMore = true
        for _ in 0..<Self.batch where isMore {
            spare.lend {
                guard let guest = try? socket.accept() else { return isMore = false }
                ledger.giveUp()
                Self.refuse(guest.descriptor, speaksTLS: tls != nil && socket.address.port != nil)
            }
        }
    }

    private func refuse(_ guest: Guest) {
        ledger.giveUp()
        log(.full(limit: ledger.limit), quietUntil: &quietUntil.full)
        Self.refuse(guest)
    }

    private static func refuse(_ guest: Guest) { refuse(guest.descriptor, speaksTLS: guest.tls != nil) }

    /// Closes the connection, after a 503 if it does not speak TLS and the socket has room.
    private static func refuse(_ descriptor: Int32, speaksTLS: Bool) {
        defer { close(descriptor) }
        if speaksTLS { return }
        let answer: StaticString =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        // The literal's bytes are in the binary, so the pointer is always valid.
        unsafe send(descriptor, answer.utf8Start, answer.utf8CodeUnitCount, Int32(MSG_NOSIGNAL))
        shutdown(descriptor, Int32(SHUT_WR))
    }

    private func pauseListeners() {
        for listener in listeners { listener.watch.pause() }
    }

    private func resumeListeners() {
        for listener in listeners { listener.watch.resume() }
    }

    /// Logs a notice, unless one was logged recently: a server at a limit reaches it many times in a row.
    private func log(_ notice: HTTPServerNotice, quietUntil: inout MonotonicTime) {
        let now = MonotonicTime.now
        guard now >= quietUntil else { return }
        quietUntil = now + Self.quiet
        log(notice)
    }
}
