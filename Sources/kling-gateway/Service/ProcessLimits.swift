#if canImport(Glibc)
internal import CProcess
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
#if TCMALLOC
internal import CTCMalloc
#endif

/// What a server asks of the system before it serves.
enum ProcessLimits {
    /// Raises the soft limit of open descriptors to the hard one, and returns it.
    static func raiseDescriptorLimit() -> Int {
        #if os(Linux)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(resource, &limit)
        unsafe getrlimit(resource, &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// How many of the first descriptors are open.
    static func openDescriptors(below limit: Int) -> Int {
        (0..<Int32(clamping: min(limit, 4096))).count { fcntl($0, F_GETFD) >= 0 }
    }

    /// Leaves no memory of this process on a disk, and lets no other process of this user's read it: keys are in it. A
    /// handler of core dumps (`core_pattern`) may ignore the limit, so the process is not dumpable either.
    static func forbidCoreDumps() {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        #if os(Linux)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        _ = cprocess_forbid_dumps()
        #else
        unsafe setrlimit(RLIMIT_CORE, &limit)
        #endif
    }

    /// Has OpenSSL, libcurl's included, write no session keys to a file that the environment names.
    static func ignoreKeyLogFile() { unsafe unsetenv("SSLKEYLOGFILE") }

    /// Has memory that was freed go back to the system at once, but for 4 MiB that the threads keep at hand: otherwise 60
    /// answers of 1 MB each leave 60 MB behind.
    static func returnFreedMemory() {
        #if TCMALLOC
        for (property, value) in [
            ("tcmalloc.aggressive_memory_decommit", 1), ("tcmalloc.max_total_thread_cache_bytes", 4 << 20),
        ] {
            _ = unsafe MallocExtension_SetNumericProperty(property, value)
        }
        MallocExtension_ReleaseFreeMemory()
        #endif
    }

    /// Unmaps what starting has touched of the program's own code: of 19 MB (Foundation's, the runtime's, the
    /// configuration's) idling needs 8. It stays in the system's cache, and comes back as it is called.
    static func unmapStartUpCode() {
        #if canImport(Glibc)
        unsafe madvise(cprocess_code_start(), cprocess_code_size(), Int32(MADV_DONTNEED))
        #endif
    }

    /// A peer that closed is an error of the write, not the end of the process.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
