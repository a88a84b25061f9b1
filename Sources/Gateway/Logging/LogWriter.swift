internal import Base
internal import Dispatch
public import GatewayConfiguration
internal import Glibc

/// Writes lines to a descriptor on a thread of its own, so that logging never waits for the reader.
///
/// Lines that don't fit in the buffer are dropped, and reported in a line of their own once the reader continues. The
/// process must ignore SIGPIPE.
public final class LogWriter: Sendable {
    private struct State {
        var buffer: [UInt8] = []
        var dropped = 0
        var everDropped: UInt64 = 0
        var isDraining = false
    }

    /// How long a line may wait for others, so that one wake-up and one system call serve many.
    private static let gathering = DispatchTimeInterval.milliseconds(10)

    private let descriptor: Int32
    private let capacity: Int
    private let format: LogFormat
    private let state = Lock(State())
    private let queue = DispatchQueue(label: "kling-gateway.log")

    /// Creates a writer. While the system call writes, it holds up to `capacity` bytes more.
    /// - Parameters:
    ///   - descriptor: where lines are written; the caller keeps ownership.
    ///   - capacity: how many bytes of lines may wait.
    ///   - format: the format of the line that reports dropped lines.
    public init(descriptor: Int32 = 2, capacity: Int = 1 << 20, format: LogFormat = .json) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.format = format
    }

    /// How many lines were dropped since the start.
    public var droppedLines: UInt64 { state.withLock { $0.everDropped } }

    /// Queues a line, which includes its newline. Never waits for the reader; usable from any thread.
    public func write(_ line: [UInt8]) {
        let mustStart = state.withLock { state in
            guard state.buffer.count + line.count <= capacity else {
                state.dropped += 1
                state.everDropped += 1
                return false
            }
            state.buffer += line
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if mustStart { queue.asyncAfter(deadline: .now() + Self.gathering) { self.drain() } }
    }

    /// Waits until all lines so far are written, but no longer than `limit`.
    /// - Returns: whether they were written.
    @discardableResult
    public func flush(within limit: Duration) -> Bool {
        let reached = DispatchSemaphore(value: 0)
        queue.async {
            self.drain()
            reached.signal()
        }
        return reached.wait(timeout: .now() + .nanoseconds(Int(limit.nanoseconds))) == .success
    }

    private func drain() {
        while let (lines, dropped) = takeWaiting() {
            send(lines)
            if dropped > 0 { send(report(of: dropped)) }
        }
    }

    private func takeWaiting() -> (lines: [UInt8], dropped: Int)? {
        state.withLock { state in
            if state.buffer.isEmpty {
                state.isDraining = false
                return nil
            }
            defer { (state.buffer, state.dropped) = ([], 0) }
            return (state.buffer, state.dropped)
        }
    }

    private func report(of dropped: Int) -> [UInt8] {
        var line = LogLine(format, level: "warning", message: "\(dropped) lines dropped", label: "log")
        return line.finish()
    }

    /// Writes all of the bytes. If the descriptor reports an error, the rest is lost, as there is nowhere to report it.
    private func send(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = unsafe systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: bytes[sent...]))
                if count >= 0 {
                    sent += count
                } else if errno == EAGAIN {
                    var watch = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    unsafe poll(&watch, 1, -1)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}

/// `write(2)`, whose name the method above hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe write(descriptor, bytes.baseAddress, bytes.count)
}
