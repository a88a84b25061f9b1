internal import Glibc

/// Anonymous memory from the system, which it owns. A page is zeroed and allocated when it is first touched.
@safe final class Mapping: @unchecked Sendable {
    // @unchecked: nothing here changes; whoever uses the memory keeps its own rules for that.
    let base: UnsafeMutableRawPointer
    let size: Int

    /// Maps `size` bytes; nil if the system has no memory for them.
    init?(size: Int) {
        let base = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let base = unsafe base, unsafe base != MAP_FAILED else { return nil }
        unsafe self.base = base
        self.size = size
    }

    deinit { unsafe munmap(base, size) }

    /// Returns the whole pages behind the first `count` bytes to the system.
    func trim(to count: Int) {
        let start = (count + Self.pageSize - 1) / Self.pageSize * Self.pageSize
        // The range is inside of the mapping. If the system refuses, the pages are only returned later.
        if start < size { unsafe madvise(base + start, size - start, MADV_DONTNEED) }
    }

    private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
}
