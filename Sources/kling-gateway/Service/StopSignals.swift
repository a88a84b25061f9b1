internal import Base
internal import EventLoop
internal import Glibc

/// SIGTERM and SIGINT: the first asks for a clean stop, the second ends the process at once.
final class StopSignals: Sendable {
    private let arrivals: AsyncStream<Void>
    private let watches: LoopBound<[SignalWatch]>

    /// Starts watching on `loop`.
    init(loop: EventLoop) async {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        self.arrivals = arrivals
        watches = await loop.run {
            let count = Lock(0)
            let watches = [SIGTERM, SIGINT].map { signal in
                SignalWatch(loop: loop, signal: signal) {
                    if count.withLock({
                        $0 += 1; return $0
                    }) > 1 {
                        _exit(1)
                    }
                    arrived.yield()
                }
            }
            return LoopBound(watches, to: loop)
        }
    }

    /// Returns when the process is asked to stop.
    func wait() async {
        for await _ in arrivals { return }
    }
}
