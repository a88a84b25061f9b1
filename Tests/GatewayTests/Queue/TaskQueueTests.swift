import Base
import EventLoop
import HTTPServer
import TestKit
import Testing

@testable import Gateway

@Suite(.onEventLoop, .timeLimit(.minutes(1))) struct TaskQueueTests {
    @Test func `a wait for tasks ends when the waiter is cancelled, before or during it`() async throws {
        let folder = try TemporaryFolder()
        let loop = try EventLoop(name: "queue")
        let queue = TaskQueue(
            QueueBounds(tasks: 1, bytes: 1, maxAge: 1), spool: try Spool(folder.path("spool")),
            budget: ByteBudget(capacity: 1), loop: loop)
        let waits = Mailbox<Void>()
        let waiter = loop.spawn {
            waits.put(())
            await queue.wait(for: .seconds(600))
            await queue.wait(for: .seconds(600))
        }
        await waits.next()
        waiter.cancel()
        await waiter.value
        loop.stop()
        withExtendedLifetime(folder) {}
    }
}
