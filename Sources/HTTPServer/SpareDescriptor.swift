internal import Glibc

/// A descriptor held in reserve. When the system has none left, it is released so that one more connection can be
/// accepted and refused. Loop-confined.
final class SpareDescriptor {
    private var descriptor = SpareDescriptor.take()

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Runs `body` with one descriptor free, which it may use and must close again.
    func lend(_ body: () -> Void) {
        if descriptor >= 0 { close(descriptor) }
        body()
        descriptor = Self.take()
    }

    /// Opens the descriptor; -1 if there is none, and the next ``lend(_:)`` tries again.
    private static func take() -> Int32 { unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
}
