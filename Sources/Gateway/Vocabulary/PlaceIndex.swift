/// Finds places in an array by the hashes of what is there: a hash table of four bytes per slot, at most half full.
///
/// It keeps no hashes and no keys: its owner has both in the array.
struct PlaceIndex: Sendable {
    private static let leastSlots = 16

    /// Each slot is free, as 0, or has a place plus 1. A place is in the slot of its hash or, past taken ones, behind.
    private var slots: [UInt32] = []
    private(set) var count = 0

    private var mask: Int { slots.count - 1 }

    /// The place with this hash that is wanted.
    func place(_ hash: Int, where isWanted: (Int) -> Bool) -> Int? { slot(hash, where: isWanted).map(place) }

    /// Adds a place with this hash, which must not be in the index.
    /// - Parameter others: returns the hash of what is at another place.
    mutating func insert(_ place: Int, _ hash: Int, others: (Int) -> Int) {
        if (count + 1) * 2 > slots.count { grow(others) }
        put(place, hash)
        count += 1
    }

    /// Replaces a place by another one with the same hash.
    mutating func replace(_ place: Int, by other: Int, _ hash: Int) {
        if let slot = slot(hash, where: { $0 == place }) { slots[slot] = UInt32(other) + 1 }
    }

    /// Removes a place, if it is in the index.
    mutating func remove(_ place: Int, hash: (Int) -> Int) {
        guard var hole = slot(hash(place), where: { $0 == place }) else { return }
        count -= 1
        // What follows moves up, so that no search ends at the hole.
        var slot = hole
        while true {
            slot = (slot + 1) & mask
            if slots[slot] == 0 { break }
            let home = hash(self.place(in: slot)) & mask
            if (slot - home) & mask >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
        }
        slots[hole] = 0
    }

    private func place(in slot: Int) -> Int { Int(slots[slot]) - 1 }

    private func slot(_ hash: Int, where isWanted: (Int) -> Bool) -> Int? {
        if slots.isEmpty { return nil }
        var slot = hash & mask
        while slots[slot] != 0 {
            if isWanted(place(in: slot)) { return slot }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func put(_ place: Int, _ hash: Int) {
        var slot = hash & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(place) + 1
    }

    private mutating func grow(_ hash: (Int) -> Int) {
        let old = slots
        slots = Array(repeating: 0, count: max(Self.leastSlots, old.count * 2))
        for slot in old where slot != 0 { put(Int(slot) - 1, hash(Int(slot) - 1)) }
    }
}
