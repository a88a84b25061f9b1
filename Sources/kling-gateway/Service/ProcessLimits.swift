internal import CProcess
internal import Glibc

#if TCMALLOC
internal import CTCMalloc
#endif

/// Limits and settings of the process that a server changes before it serves.
enum ProcessLimits {
    /// Raises the soft limit of open descriptors to the hard one, and returns it.
    static func raiseDescriptorLimit() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(resource, &limit)
        unsafe getrlimit(resource, &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Returns how many descriptors below `limit`, and among the first 4096, are open.
    static func openDescriptors(below limit: Int) -> Int {
        (0..<Int32(clamping: min(limit, 4096))).count { fcntl($0, F_GETFD) >= 0 }
    }

    /// Forbids core dumps and keeps other processes of the same user from reading this process's memory, because it
    /// contains keys. A handler of core dumps (`core_pattern`) may ignore the limit, so the process is also made
    /// non-dumpable.
    static func forbidCoreDumps() {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        _ = cprocess_forbid_dumps()
    }

    /// Keeps OpenSSL, including libcurl's, from writing session keys to a file that the environment names.
    static func ignoreKeyLogFile() { unsafe unsetenv("SSLKEYLOGFILE") }

    /// Returns freed memory to the system at once, except for 4 MiB in the threads' caches: otherwise 60 answers of 1
    /// MB each leave 60 MB behind.
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

    /// Unmaps the code that start-up has touched: of 27 MB (Foundation's, the runtime's, the libraries'), an idle
    /// gateway needs 10. Call it when everything has started.
    static func unmapStartUpCode() { cprocess_unmap_code() }

    /// Replaces this process by a new one of the same program, with the same arguments. Every descriptor but standard
    /// input, output and error is closed.
    static func startAnew() -> Never {
        unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
        // There is no /proc: whatever supervises the process starts it again.
        _exit(75)
    }

    /// Ignores SIGPIPE: writing to a closed peer is an error of the write, not the end of the process.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
