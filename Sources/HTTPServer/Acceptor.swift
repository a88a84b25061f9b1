internal import Base
internal import EventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Accepts connections on the first loop and hands them out. Loop-confined.
final class Acceptor: @unchecked Sendable {
    // @unchecked: everything that changes is touched on `loop` alone.
    let loop: EventLoop
    private let contexts: [LoopContext]
    private let ledger: ConnectionLedger
    private let tls: TLSContext?
    private let log: @Sendable (HTTPServerNotice) -> Void
    private var listeners: [(socket: ListeningSocket, watch: SocketWatch)] = []
    private var pause: Timer?
    private var room = WaitingRoom<Guest>()
    private var hasStopped = false
    private var quietUntil = (exhausted: MonotonicTime.now, crowded: MonotonicTime.now, full: MonotonicTime.now)

    private struct Guest {
        let descriptor: Int32
        let peer: SocketAddress
        let tls: TLSContext?
    }

    /// Connections taken before other sockets get their turn.
    private static let batch = 64
    /// How long one notice stands for all of its kind.
    private static let quiet = Duration.seconds(10)
    /// How long accepting rests when the system has nothing left.
    private static let rest = Duration.milliseconds(250)

    init(
        loop: EventLoop, contexts: [LoopContext], ledger: ConnectionLedger, tls: TLSContext?,
        log: @escaping @Sendable (HTTPServerNotice) -> Void
    ) {
        self.loop = loop
        self.contexts = contexts
        self.ledger = ledger
        self.tls = tls
        self.log = log
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
        } catch {
            throw error.code == EADDRINUSE ? .addressInUse(address) : .cannotListen(address, error)
        }
    }

    /// Takes who is waiting, then closes.
    func stop() {
        hasStopped = true
        for guest in room.leave() { refuse(guest) }
        for (socket, watch) in listeners {
            watch.pause()
            while take(from: socket) {}
            socket.close()
        }
        listeners = []
        pause = nil
    }

    private func accept(from socket: ListeningSocket) {
        for _ in 0..<Self.batch where !take(from: socket) { return }
    }

    /// - Returns: whether there may be more.
    private func take(from socket: ListeningSocket) -> Bool {
        let connection: (descriptor: Int32, peer: SocketAddress)
        do throws(SystemCallError) {
            connection = try socket.accept()
        } catch {
            switch error.code {
            case EAGAIN, EWOULDBLOCK: return false
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                rest(because: error)
                return false
            // The client left before it was its turn, or was never allowed in: the next one may be fine.
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

    /// Has the loops close the connections that have been idle longest, then lets in who waits.
    private func makeRoom() {
        // A few more than are needed now: to look through the connections costs the same for one as for many.
        let wanted = room.count + ledger.limit / 128
        loop.spawn { [self] in
            var idle: [MonotonicTime] = []
            for context in contexts { idle += await context.loop.run { context.longestIdle(wanted) } }
            var closed = 0
            if let last = idle.sorted().prefix(wanted).last {
                for context in contexts { closed += await context.loop.run { context.closeIdle(until: last) } }
            }
            ledger.closedForRoom(closed)
            if closed > 0 { log(.crowded(limit: ledger.limit), quietUntil: &quietUntil.crowded) }
            for guest in room.roundEnded(closed: closed, at: .now) { admit(guest) }
        }
    }

    private func refuse(_ guest: Guest) {
        ledger.giveUp()
        log(.full(limit: ledger.limit), quietUntil: &quietUntil.full)
        Self.refuse(guest)
    }

    /// Says so in few bytes, as far as that goes without waiting, and closes.
    private static func refuse(_ guest: Guest) {
        if guest.tls == nil { refuse(guest.descriptor) } else { close(guest.descriptor) }
    }

    private static func refuse(_ descriptor: Int32) {
        let answer: StaticString =
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        // The bytes are in the binary for ever.
        unsafe send(descriptor, answer.utf8Start, answer.utf8CodeUnitCount, Int32(MSG_NOSIGNAL))
        shutdown(descriptor, Int32(SHUT_WR))
        close(descriptor)
    }

    /// A level-triggered listener would be reported again at once, for ever.
    private func rest(because error: SystemCallError) {
        log(.acceptingPaused(error), quietUntil: &quietUntil.exhausted)
        for listener in listeners { listener.watch.pause() }
        let timer = pause ?? Timer(loop: loop) { [weak self] in self?.resume() }
        pause = timer
        timer.arm(after: Self.rest)
    }

    private func resume() {
        for listener in listeners { listener.watch.resume() }
    }

    /// A server at a limit meets it many times in a row, and lets one in now and then: one notice says it all.
    private func log(_ notice: HTTPServerNotice, quietUntil: inout MonotonicTime) {
        let now = MonotonicTime.now
        guard now >= quietUntil else { return }
        quietUntil = now + Self.quiet
        log(notice)
    }
}
