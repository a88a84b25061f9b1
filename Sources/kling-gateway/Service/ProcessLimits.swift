#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What a server asks of the system before it serves.
enum ProcessLimits {
    /// Raises the soft limit of open descriptors to the hard one, and returns it.
    static func raiseDescriptorLimit() -> UInt64 {
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
        return UInt64(limit.rlim_cur)
    }

    /// A peer that closed is an error of the write, not the end of the process.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
}
