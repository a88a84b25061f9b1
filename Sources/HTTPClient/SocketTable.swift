internal import CCurl
internal import EventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The sockets that libcurl wants watched, by descriptor.
///
/// A connection that goes idle stays registered for reading, although libcurl asks for its removal: the next request
/// on it then costs no `epoll_ctl`. It leaves the table when libcurl closes it, through the close callback. Sockets
/// that libcurl has not opened through this table (its resolver's) leave when it says so.
final class SocketTable {
    /// One watched descriptor. The two directions are events of their own: one of them comes and goes alone.
    private final class Entry {
        let isConnection: Bool
        /// Whether libcurl is waiting on it, or has it lying in its pool.
        var isWanted = false
        var reading: SocketWatch?
        var isReading = false
        var writing: SocketWatch?
        var isWriting = false

        init(isConnection: Bool) { self.isConnection = isConnection }
    }

    private let loop: EventLoop
    private let onReady: (Int32, SocketEvents) -> Void
    private var entries: [Entry?] = []
    /// Connections open now.
    private(set) var openConnections = 0
    /// Connections opened since the start.
    private(set) var connectionsOpened = 0

    /// - Parameter onReady: told that a descriptor on which libcurl waits is ready.
    init(loop: EventLoop, onReady: @escaping (Int32, SocketEvents) -> Void) {
        self.loop = loop
        self.onReady = onReady
    }

    // MARK: Life

    /// Opens a socket for a connection; -1 if the system has none left.
    func open(family: Int32, type: Int32, protocol number: Int32) -> Int32 {
        #if os(Linux)
        let descriptor = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), number)
        #else
        let descriptor = socket(family, type, number)
        if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        #endif
        guard descriptor >= 0 else { return descriptor }
        insert(Entry(isConnection: true), at: descriptor)
        openConnections += 1
        connectionsOpened += 1
        return descriptor
    }

    /// Closes a connection's socket, and forgets it before its number can be given out again.
    func close(_ descriptor: Int32) -> Int32 {
        if entry(descriptor)?.isConnection == true { openConnections -= 1 }
        forget(descriptor)
        #if canImport(Glibc)
        return Glibc.close(descriptor)
        #else
        return Darwin.close(descriptor)
        #endif
    }

    private func entry(_ descriptor: Int32) -> Entry? {
        Int(descriptor) < entries.count ? entries[Int(descriptor)] : nil
    }

    private func insert(_ entry: Entry, at descriptor: Int32) {
        let missing = Int(descriptor) + 1 - entries.count
        if missing > 0 { entries.append(contentsOf: repeatElement(nil, count: missing)) }
        entries[Int(descriptor)] = entry
    }

    private func forget(_ descriptor: Int32) {
        if Int(descriptor) < entries.count { entries[Int(descriptor)] = nil }
    }

    // MARK: Interest

    /// Follows what libcurl waits for (`CURL_POLL_…`).
    ///
    /// Where the system has no memory to watch a socket, its transfer runs into its time-out: libcurl could only be told
    /// to give up all transfers of the loop, and any later one.
    func watch(_ descriptor: Int32, for interest: Int32) {
        let known = entry(descriptor)
        if interest == CURL_POLL_REMOVE {
            guard let known else { return }
            if !known.isConnection { return forget(descriptor) }
            known.isWanted = false
            return setWriting(false, known, descriptor)
        }
        let entry = known ?? Entry(isConnection: false)
        if known == nil { insert(entry, at: descriptor) }
        entry.isWanted = true
        setReading(interest != CURL_POLL_OUT, entry, descriptor)
        setWriting(interest != CURL_POLL_IN, entry, descriptor)
    }

    private func setReading(_ isOn: Bool, _ entry: Entry, _ descriptor: Int32) {
        guard entry.isReading != isOn else { return }
        entry.isReading = isOn
        if let watch = entry.reading { return isOn ? watch.resume() : watch.pause() }
        entry.reading = SocketWatch(loop: loop, descriptor: descriptor, events: .read) { [unowned self] events in
            ready(descriptor, events)
        }
    }

    private func setWriting(_ isOn: Bool, _ entry: Entry, _ descriptor: Int32) {
        guard entry.isWriting != isOn else { return }
        entry.isWriting = isOn
        if let watch = entry.writing { return isOn ? watch.resume() : watch.pause() }
        entry.writing = SocketWatch(loop: loop, descriptor: descriptor, events: .write) { [unowned self] events in
            ready(descriptor, events)
        }
    }

    private func ready(_ descriptor: Int32, _ events: SocketEvents) {
        guard let entry = entry(descriptor) else { return }
        if entry.isWanted { return onReady(descriptor, events) }
        // The peer has closed an idle connection, or sent what nobody asked for: libcurl finds out before it uses the
        // connection again. Until then the event would come over and over.
        setReading(false, entry, descriptor)
    }
}
