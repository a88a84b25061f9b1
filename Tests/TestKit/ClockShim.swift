import Base
import Foundation

/// Shifts the wall clock of programs that a test starts, from outside and at any moment, with a library that is loaded
/// before the system's `clock_gettime`, `gettimeofday` and `time`. The monotonic clock stays as it is.
///
/// Start a program with ``environment``, and set the shift with ``set(milliseconds:)`` before it starts or while it
/// runs. A new shift takes effect at once. Several programs may share a shim, and so may restarts of one program.
public final class ClockShim: Sendable {
    private let folder: TemporaryFolder
    /// The path of the library, for `LD_PRELOAD`.
    public let library: String
    private let shift: String
    private let current = Lock(Int64(0))

    /// Compiles the library and tries it.
    /// - Throws: a ``TestKitError`` that says why this machine's clock cannot be shifted: no C compiler, no `LD_PRELOAD`.
    public init() async throws {
        folder = try TemporaryFolder()
        library = folder.path("clock-shim.so")
        shift = folder.path("shift")
        let source = try folder.write(Self.source, to: "clock-shim.c")
        try set(milliseconds: 0)
        try await blocking { [library] in try CCompiler.makeLibrary(of: [source], at: library) }
        try await check()
    }

    /// The environment variables to start a program with.
    public var environment: [String: String] { ["LD_PRELOAD": library, "CLOCK_SHIFT_FILE": shift] }

    /// How far the wall clock is ahead of the true one.
    public var milliseconds: Int64 { current.withLock { $0 } }

    /// Sets how far the wall clock is ahead of the true one from now on; negative for behind.
    public func set(milliseconds: Int64) throws {
        current.withLock { $0 = milliseconds }
        try withUnsafeBytes(of: milliseconds) { bytes in
            let file = open(shift, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw TestKitError("open \(shift): errno \(errno)") }
            defer { close(file) }
            // A single write of the whole number, so that programs that map the file see either the old one or the new.
            guard pwrite(file, bytes.baseAddress, bytes.count, 0) == bytes.count else {
                throw TestKitError("write \(shift): errno \(errno)")
            }
        }
    }

    /// A shim with which the built gateway starts; nil, with the reason printed, if that is not possible here.
    public static func ofGateway() async throws -> ClockShim? {
        do {
            let shim = try await ClockShim()
            let outcome = try await Program.gateway(["--version"], environment: shim.environment).end()
            if outcome.status == 0 { return shim }
            throw TestKitError("the gateway does not start with LD_PRELOAD: \(outcome.errors)")
        } catch let error as TestKitError {
            print("the clock is not shifted here: \(error)")
            return nil
        }
    }

    /// Throws unless a program of the system sees the shift.
    private func check() async throws {
        try set(milliseconds: 1_000_000_000_000)
        defer { try? set(milliseconds: 0) }
        let outcome = try await Program("date", ["+%s"], environment: environment).end()
        let seconds = Double(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        guard abs(seconds - 1_000_000_000 - Date().timeIntervalSince1970) < 60 else {
            throw TestKitError("LD_PRELOAD does not shift the clock of `date`: \(outcome.output)\(outcome.errors)")
        }
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <fcntl.h>
        #include <semaphore.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static int (*system_clock)(clockid_t, struct timespec *);
        static int (*system_wait)(sem_t *, const struct timespec *);
        static const volatile int64_t *shift;

        __attribute__((constructor)) static void prepare(void) {
            static const int64_t none;
            const char *path = getenv("CLOCK_SHIFT_FILE");
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            void *map = file < 0 ? MAP_FAILED : mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
            if (file >= 0) close(file);
            system_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
            system_wait = (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
            shift = map == MAP_FAILED ? &none : map;
        }

        int clock_gettime(clockid_t clock, struct timespec *time) {
            if (!shift) prepare();
            int result = system_clock(clock, time);
            if (result || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
            int64_t milliseconds = *shift, nanoseconds = time->tv_nsec + milliseconds % 1000 * 1000000;
            time->tv_sec += milliseconds / 1000 + (nanoseconds >= 1000000000) - (nanoseconds < 0);
            time->tv_nsec = (nanoseconds + 1000000000) % 1000000000;
            return 0;
        }

        // Dispatch waits on semaphores until a wall clock time. The kernel's clock is the true one.
        int sem_timedwait(sem_t *semaphore, const struct timespec *deadline) {
            if (!shift) prepare();
            int64_t milliseconds = *shift, nanoseconds = deadline->tv_nsec - milliseconds % 1000 * 1000000;
            struct timespec time = {
                deadline->tv_sec - milliseconds / 1000 + (nanoseconds >= 1000000000) - (nanoseconds < 0),
                (nanoseconds + 1000000000) % 1000000000,
            };
            return system_wait(semaphore, &time);
        }

        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec now;
            (void)zone;
            clock_gettime(CLOCK_REALTIME, &now);
            *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
            return 0;
        }

        time_t time(time_t *place) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (place) *place = now.tv_sec;
            return now.tv_sec;
        }

        """
}
