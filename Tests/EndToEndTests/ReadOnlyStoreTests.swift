import Foundation
import TestKit
import Testing

/// A store whose file system has become read-only, as ext4 does after an error.
///
/// A test cannot make a mounted file system read-only: the kernel refuses to remount one while files are open for
/// writing, and root ignores file modes. So the gateway's own calls fail as they would then, with EROFS.
@Suite(.aFewAtATime) struct ReadOnlyStoreTests {
    /// Loaded before the C library: while a certain file exists, calls that would change a certain folder fail.
    private static let code = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <stdarg.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/syscall.h>
        #include <unistd.h>

        static int refuses(const char *path) {
            const char *folder = getenv("READ_ONLY_FOLDER"), *sign = getenv("READ_ONLY_SIGN");
            if (!folder || !sign || strncmp(path, folder, strlen(folder)) || access(sign, F_OK)) return 0;
            errno = EROFS;
            return 1;
        }
        static int holds(int file) {
            char name[64], path[4096];
            snprintf(name, sizeof name, "/proc/self/fd/%d", file);
            ssize_t length = readlink(name, path, sizeof path - 1);
            path[length > 0 ? length : 0] = 0;
            return refuses(path);
        }
        static int opens(const char *path, int flags, mode_t mode) {
            if ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) && refuses(path)) return -1;
            return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
        }
        #define OPEN(name) int name(const char *path, int flags, ...) { \\
            va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \\
            return opens(path, flags, mode); }
        OPEN(open)
        OPEN(open64)
        ssize_t write(int file, const void *bytes, size_t count) {
            return holds(file) ? -1 : syscall(SYS_write, file, bytes, count);
        }
        ssize_t pwrite(int file, const void *bytes, size_t count, off_t place) {
            return holds(file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, place);
        }
        ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t place) {
            return holds(file) ? -1 : syscall(SYS_pwrite64, file, bytes, count, place);
        }
        int ftruncate(int file, off_t length) { return holds(file) ? -1 : syscall(SYS_ftruncate, file, length); }
        int ftruncate64(int file, off64_t length) { return holds(file) ? -1 : syscall(SYS_ftruncate, file, length); }
        int unlink(const char *path) { return refuses(path) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0); }
        int rename(const char *path, const char *new) {
            return refuses(path) ? -1 : syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, new, 0);
        }
        """

    private static let tools: (folder: TemporaryFolder, library: String)? = {
        guard let folder = try? TemporaryFolder(), let source = try? folder.write(code, to: "readonly.c") else {
            return nil
        }
        let library = folder.path("readonly.so")
        return (try? CCompiler.makeLibrary(of: [source], at: library)).map { (folder, library) }
    }()

    private func isReady(_ gateway: GatewayProcess) async throws -> Bool {
        try await gateway.ask("GET", "/readyz", key: nil, admin: true).status == 200
    }

    @Test(
        .enabled(if: tools != nil, "this system has no C compiler, or cannot preload a library"),
        .needsSQLite("PostgreSQL's disk is its server's"))
    func `a read-only file system keeps the gateway from paying until it is writable again`() async throws {
        let tools = try #require(Self.tools)
        try await Fixture.run(duration: 1...1) { fixture in
            let (folder, signs) = (try TemporaryFolder(), try TemporaryFolder())
            let gateway = try await GatewayProcess(
                kling: fixture.kling.url, folder: folder,
                environment: [
                    "LD_PRELOAD": tools.library, "READ_ONLY_FOLDER": folder.path(""),
                    "READ_ONLY_SIGN": signs.path("sign"),
                ])
            let made = Fixture.path + "/" + (try await gateway.create().createdTask())
            try await eventually("a task has ended") {
                try await gateway.ask("GET", made).data["task_status"] as? String == "succeed"
            }
            let before = fixture.creates
            try signs.write("", to: "sign")
            for _ in 0..<5 {
                let refused = try await gateway.create()
                #expect(refused.status == 503 && refused.code == 5001, "\(refused.text)")
                #expect(refused["Retry-After"] != nil)
            }
            try await eventually("it is not ready") { try await !isReady(gateway) }
            #expect(fixture.creates == before)
            #expect(try await gateway.ask("GET", made).data["task_status"] as? String == "succeed")
            #expect(try await gateway.ask("GET", Fixture.path).tasks.count == 1)
            try FileManager.default.removeItem(atPath: signs.path("sign"))
            try await eventually("it is ready again") { try await isReady(gateway) }
            _ = try await gateway.create().createdTask()
            #expect(try await gateway.ask("GET", Fixture.path).tasks.count == 2)
            #expect(fixture.kling.tasks.count == 2)
            #expect(try await gateway.stop() == 0)
        }
    }
}
