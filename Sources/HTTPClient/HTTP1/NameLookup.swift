internal import Base
internal import Glibc

/// One look-up of a name by the system (`getaddrinfo`), on a thread of its own: it may block for as long as the
/// system's resolver does.
enum NameLookup {
    /// The addresses of a name in the order to try them; nil if it has none.
    typealias Result = [IPAddress]?

    /// The thread's stack. glibc's resolver needs about 70 KiB.
    private static let stackSize = 512 << 10

    private final class Work {
        let name: String
        let done: @Sendable (Result) -> Void
        init(_ name: String, _ done: @escaping @Sendable (Result) -> Void) { (self.name, self.done) = (name, done) }
    }

    /// Starts a look-up.
    /// - Parameter done: called once with the result, on the thread, unless this returns false.
    /// - Returns: false if the system has no thread for it.
    static func start(_ name: String, _ done: @escaping @Sendable (Result) -> Void) -> Bool {
        unsafe withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { space in
            // `pthread_attr_init` fills the space, which is then only passed on.
            guard let attributes = space.baseAddress, unsafe pthread_attr_init(attributes) == 0 else { return false }
            defer { unsafe pthread_attr_destroy(attributes) }
            unsafe pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
            unsafe pthread_attr_setstacksize(attributes, stackSize)
            let argument = unsafe Unmanaged.passRetained(Work(name, done)).toOpaque()
            var thread = pthread_t()
            if unsafe pthread_create(&thread, attributes, { unsafe NameLookup.run($0) }, argument) == 0 { return true }
            unsafe Unmanaged<Work>.fromOpaque(argument).release()
            return false
        }
    }

    private static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument = unsafe argument else { return nil }
        // Takes over the reference that `start` retained for this thread.
        let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        work.done(resolve(work.name))
        return nil
    }

    /// Asks the system, and waits for its answer.
    static func resolve(_ name: String) -> Result {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, nil, &hints, &list) == 0 else { return nil }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let bytes = unsafe UnsafeRawBufferPointer(
                start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            if let address = unsafe IPAddress(socketAddress: bytes), !addresses.contains(address) {
                addresses.append(address)
            }
            unsafe next = unsafe entry.pointee.ai_next
        }
        return addresses.isEmpty ? nil : alternating(addresses)
    }

    /// Lets the families take turns, beginning with the system's first choice (RFC 8305 §4): if one of them does not
    /// work here, the second attempt is made with the other.
    static func alternating(_ addresses: [IPAddress]) -> [IPAddress] {
        let first = addresses.filter { $0.family == addresses.first?.family }
        let second = addresses.filter { $0.family != addresses.first?.family }
        return (0..<max(first.count, second.count)).flatMap { index in
            [first, second].compactMap { index < $0.count ? $0[index] : nil }
        }
    }
}
