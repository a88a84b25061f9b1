internal import Glibc

/// The store's own threads, so that a slow disk never holds up a loop or Swift's cooperative pool.
enum StoreThread {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            nameThread()
            body()
        }

        private func nameThread() {
            // glibc declares pthread_setname_np only if all of its extensions are enabled. This does the same.
            let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return }
            _ = unsafe write(file, name, name.utf8.count)
            close(file)
        }
    }

    /// Has this thread wait.
    static func pause(_ time: Duration) { usleep(UInt32(time / .microseconds(1))) }

    /// Runs `body` on a new thread.
    /// - Parameter name: the name that `ps -T` shows; Linux keeps at most 15 bytes.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(StoreError) {
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        var thread = pthread_t()
        // The new thread takes ownership of the retained reference that is passed to it.
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw StoreError(.unavailable, "no thread for the store: errno \(code)")
        }
        pthread_detach(thread)
    }
}
