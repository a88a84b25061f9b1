/// The memory of blocks that were released, kept for a while for the next blocks. Can be used from any thread.
///
/// Allocating, zeroing and freeing the pages of a large block takes longer than filling, reading and sending it. A block
/// made from here may hold bytes of an earlier one after its ``Bytes/count``, where nothing can read them.
public final class SpareMappings: Sendable {
    private struct Spare {
        let mapping: Mapping
        /// How many of its bytes may have pages.
        let touched: Int
        let since: MonotonicTime
    }

    private struct State {
        /// The spare mappings, the one kept last at the end.
        var spares: [Spare] = []
        var bytes = 0
        /// How many blocks hold memory from here.
        var lent = 0
    }

    private let limit: Int
    private let state = Lock(State())

    /// - Parameter limit: how many bytes to keep at most.
    public init(limit: Int) { self.limit = limit }

    /// How many bytes are kept.
    public var bytes: Int { state.withLock { $0.bytes } }

    /// A mapping for a block of `count` bytes, of which no more than those have pages; nil if the system has no memory.
    func take(_ count: Int) -> Mapping? {
        let spare = state.withLock { state in
            state.lent += 1
            // The one kept last is the most likely to be in the processor's cache.
            let index = state.spares.lastIndex { $0.mapping.size >= count && $0.touched <= 2 * count }
            guard let index else { return Spare?.none }
            state.bytes -= state.spares[index].touched
            return state.spares.remove(at: index)
        }
        if let spare {
            if spare.touched > count { spare.mapping.trim(to: count) }
            return spare.mapping
        }
        if let mapping = Mapping(size: Self.size(for: count)) { return mapping }
        state.withLock { $0.lent -= 1 }
        return nil
    }

    /// Keeps the mapping of a block of `count` bytes, in place of the ones kept longest if there is no room.
    func keep(_ mapping: Mapping, _ count: Int) {
        let dropped = state.withLock { state in
            state.lent -= 1
            state.spares.append(Spare(mapping: mapping, touched: count, since: .now))
            state.bytes += count
            return removeFirst(of: &state) { $0.bytes > limit }
        }
        // They are unmapped here, after the lock was released.
        withExtendedLifetime(dropped) {}
    }

    /// Returns the memory to the system that was kept before `time`.
    /// - Returns: whether there is or may be more to return later.
    public func drop(keptBefore time: MonotonicTime) -> Bool {
        let (dropped, isLast) = state.withLock { state in
            let dropped = removeFirst(of: &state) { $0.spares.first.map { $0.since < time } ?? false }
            return (dropped, state.lent == 0 && state.spares.isEmpty)
        }
        return withExtendedLifetime(dropped) { !isLast }
    }

    private func removeFirst(of state: inout State, while condition: (State) -> Bool) -> [Spare] {
        var removed: [Spare] = []
        while condition(state), !state.spares.isEmpty {
            let spare = state.spares.removeFirst()
            state.bytes -= spare.touched
            removed.append(spare)
        }
        return removed
    }

    /// Address space for `count` bytes, and for somewhat larger blocks later: pages are only allocated when they are
    /// touched.
    private static func size(for count: Int) -> Int {
        let step = 1 << max(16, Int.bitWidth - count.leadingZeroBitCount - 3)
        return (count + step - 1) / step * step
    }
}
