internal import CLibevent

/// The events that a socket can be watched for, or that were reported.
public struct SocketEvents: OptionSet, Sendable {
    public let rawValue: Int16
    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// There are bytes to read, or the peer has closed, or the socket has failed.
    public static let read = SocketEvents(rawValue: Int16(EV_READ))
    /// There is room to write, or the socket has failed.
    public static let write = SocketEvents(rawValue: Int16(EV_WRITE))
    /// The peer has sent FIN; there may be bytes to read before it. Reported where the system supports it (Linux).
    ///
    /// Never watch this alone: libevent 2.1.12 then does not report every way in which a peer leaves, and its loop may
    /// spin meanwhile. With ``read`` or ``edgeTriggered`` beside it, everything is reported.
    public static let peerFinished = SocketEvents(rawValue: Int16(EV_CLOSED))
    /// Report each change once, not for as long as it lasts. The watcher must then read and write until `EAGAIN`.
    public static let edgeTriggered = SocketEvents(rawValue: Int16(bitPattern: UInt16(EV_ET)))
}

/// Calls a closure whenever a descriptor is ready. Loop-confined.
///
/// It does not own the descriptor: pause or release the watch before closing the descriptor.
@safe public final class SocketWatch {
    private let loop: EventLoop
    private var event: OpaquePointer?
    /// Whether the descriptor is being watched. The system may have no memory for that; then nothing is ever reported.
    public private(set) var isWatching = false
    private let body: (SocketEvents) -> Void

    /// Starts to watch `descriptor`; check ``isWatching`` for success.
    /// - Parameters:
    ///   - events: what to watch for. It cannot be changed later; make another watch instead.
    ///   - body: called on the loop's thread. It may release the watch.
    public init(
        loop: EventLoop, descriptor: Int32, events: SocketEvents, _ body: @escaping (SocketEvents) -> Void
    ) {
        loop.assertCurrent()
        self.loop = loop
        self.body = body
        // The event is freed in `deinit`: the unretained context is valid as long as the event is.
        unsafe event = event_new(
            loop.base, descriptor, events.rawValue | Int16(EV_PERSIST), socketIsReady,
            Unmanaged.passUnretained(self).toOpaque())
        resume()
    }

    deinit {
        loop.assertCurrent()
        if let event = unsafe event { unsafe event_free(event) }
    }

    /// Resumes watching after ``pause()``.
    public func resume() {
        loop.assertCurrent()
        isWatching = unsafe event != nil && event_add(event, nil) == 0
    }

    /// Stops reporting until ``resume()``.
    public func pause() {
        loop.assertCurrent()
        isWatching = false
        if let event = unsafe event { unsafe event_del(event) }
    }

    fileprivate func isReady(_ events: SocketEvents) { loop.enter { body(events) } }
}

private func socketIsReady(_: Int32, events: Int16, context: UnsafeMutableRawPointer?) {
    guard let context = unsafe context else { return }
    let watch = unsafe Unmanaged<SocketWatch>.fromOpaque(context).takeUnretainedValue()
    watch.isReady(SocketEvents(rawValue: events))
}
