internal import Glibc

/// The resources that this process uses.
struct ProcessFigures {
    /// CPU time, user and system.
    var processorSeconds: Double
    /// Memory in RAM; `nil` where there is no `/proc`.
    var residentBytes: Int?
    /// Descriptors open; `nil` where there is no `/proc`.
    var openDescriptors: Int?
    /// Descriptors allowed (the soft limit).
    var descriptorLimit: UInt64

    /// Reads the figures from the system.
    static func current() -> ProcessFigures {
        ProcessFigures(
            processorSeconds: processorTime(), residentBytes: residentMemory(), openDescriptors: countDescriptors(),
            descriptorLimit: descriptorAllowance())
    }

    private static func processorTime() -> Double {
        var usage = rusage()
        unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    private static func descriptorAllowance() -> UInt64 {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return UInt64(limit.rlim_cur)
    }

    /// The second number of `/proc/self/statm`: resident pages.
    private static func residentMemory() -> Int? {
        let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe read(file, &bytes, bytes.count)
        let fields = bytes.prefix(max(0, count)).split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    private static func countDescriptors() -> Int? {
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // `.`, `..` and the folder's own descriptor.
        return count - 3
    }
}
