internal import CCurl
internal import EventLoop
internal import Glibc

/// The sockets that libcurl wants watched, by descriptor.
///
/// A connection that goes idle stays registered for reading, although libcurl asks for its removal: the next request on
/// it then costs no `epoll_ctl`. It leaves the table when libcurl closes it, through the close callback. A socket that
/// libcurl did not open through this table (its resolver's) is removed when libcurl asks for it.
final class SocketTable {
    /// One watched descriptor. Reading and writing are separate events, because one often starts and stops without the
    /// other.
    private final class Entry {
        let isConnection: Bool
        /// Whether libcurl waits on it, rather than keeping it idle in its pool.
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

    /// Makes an empty table.
    /// - Parameter onReady: called when a descriptor that libcurl waits on is ready.
    init(loop: EventLoop, onReady: @escaping (Int32, SocketEvents) -> Void) {
        self.loop = loop
        self.onReady = onReady
    }

    // MARK: Life

    /// Opens a socket for a connection; -1 if the system refuses one.
    func open(family: Int32, type: Int32, protocol number: Int32) -> Int32 {
        let descriptor = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), number)
        guard descriptor >= 0 else { return descriptor }
        insert(Entry(isConnection: true), at: descriptor)
        openConnections += 1
        connectionsOpened += 1
        return descriptor
    }

    /// Closes a connection's socket, and removes it from the table before its number can be reused.
    func close(_ descriptor: Int32) -> Int32 {
        if entry(descriptor)?.isConnection == true { openConnections -= 1 }
        forget(descriptor)
        return Glibc.close(descriptor)
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

    /// Watches what libcurl waits for (`CURL_POLL_…`).
    ///
    /// If the system has no memory to watch a socket, its transfer runs into its timeout: an error would make libcurl
    /// give up all transfers of the loop, including later ones.
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
        // The peer closed an idle connection, or sent data that was not asked for: libcurl notices before it reuses the
        // connection. Until then, the event would fire over and over.
        setReading(false, entry, descriptor)
    }
}
