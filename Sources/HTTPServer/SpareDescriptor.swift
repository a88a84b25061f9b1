#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A descriptor that is kept to be given up: where the system has none left, one more connection can be accepted, to be
/// told so. Loop-confined.
final class SpareDescriptor {
    private var descriptor = SpareDescriptor.take()

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Runs `body` with one more descriptor for it to take and to close again.
    func lend(_ body: () -> Void) {
        if descriptor >= 0 { close(descriptor) }
        body()
        descriptor = Self.take()
    }

    /// -1 if there is none: then the next turn tries again.
    private static func take() -> Int32 { unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
}
