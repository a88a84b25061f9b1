import Foundation

/// Takes back a random part of one file's unsynced changes.
///
/// Every sector gets the content that it had after one of the changes, or before all of them.
struct FileCut {
    /// Which changes survive.
    enum Survival: Sendable, Equatable {
        case none
        case all
        /// Everything up to one change, of which some sectors survive.
        case upTo(Int)
        /// Each sector with this probability.
        case some(Double)
    }

    private let file: UnsyncedChanges.File
    private let descriptor: Int32
    private var dice: Dice
    /// The sectors whose latest content survives.
    private var kept: Set<Int> = []
    private(set) var losses = PowerCut.Losses()

    private static let sector = 512
    private static let page = 4096

    /// - Parameter path: where the file is.
    init(_ file: UnsyncedChanges.File, path: String, dice: Dice) throws {
        self.file = file
        self.dice = dice
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw TestKitError("open \(path): errno \(errno)") }
    }

    /// Draws which changes survive.
    static func survival(of count: Int, _ dice: inout Dice) -> Survival {
        dice.pick([
            (2, .none), (2, .all), (3, .upTo(Int.random(in: 0..<max(count, 1), using: &dice))),
            (4, .some(dice.pick([(1, 0.1), (2, 0.5), (1, 0.9)]))),
        ])
    }

    /// Takes back changes, and closes the file.
    mutating func apply(_ survival: Survival) throws {
        defer { close(descriptor) }
        var changes = file.changes
        losses.atRisk = changes.count
        try undoFromLostCut(&changes, survival)
        guard let first = changes.first else { return }
        let latest = try size()
        // What a surviving cut removed does not come back.
        var ceiling = Int.max
        for (index, change) in changes.enumerated().reversed() {
            switch change.kind {
            case .write(let range): try undo(change, range, index, survival, ceiling, latest)
            case .resize: ceiling = min(ceiling, change.cut ?? .max)
            }
        }
        let lastCut = changes.lastIndex { $0.cut != nil }
        let since = lastCut.map { changes[$0] } ?? first
        let base = max(since.cut ?? since.before, file.safeSize(since: since))
        try resize(changes.dropFirst(lastCut.map { $0 + 1 } ?? 0), base, latest, survival)
    }

    // MARK: Truncations

    /// If a truncation is lost, undoes it and all that follows.
    private mutating func undoFromLostCut(_ changes: inout [FileChange], _ survival: Survival) throws {
        let lost = changes.indices.first { index in
            changes[index].cut != nil && !file.isSafe(cut: changes[index]) && !survives(index, survival)
        }
        guard let lost else { return }
        for change in changes[lost...].reversed() {
            guard ftruncate(descriptor, off_t(change.before)) == 0 else { throw failure("ftruncate") }
            switch change.kind {
            case .write(let range): try put(change.old[...], at: range.lowerBound)
            case .resize(let size): try put(change.old[...], at: size)
            }
            losses.changes += 1
            losses.bytes += change.old.count
        }
        changes.removeSubrange(lost...)
    }

    private mutating func survives(_ index: Int, _ survival: Survival) -> Bool {
        switch survival {
        case .none: false
        case .all: true
        case .upTo(let last): index <= last
        case .some(let probability): dice.chance(probability)
        }
    }

    // MARK: Contents

    private mutating func undo(
        _ change: FileChange, _ range: Range<Int>, _ index: Int, _ survival: Survival, _ ceiling: Int, _ latest: Int
    ) throws {
        var lost = 0
        for number in range.lowerBound / Self.sector..<(range.upperBound + Self.sector - 1) / Self.sector {
            if kept.contains(number) { continue }
            let sector = number * Self.sector..<(number + 1) * Self.sector
            let isLast = survival == .upTo(index)
            if file.isSafe(change, sector) || (isLast ? dice.chance(0.5) : survives(index, survival)) {
                kept.insert(number)
                continue
            }
            let part = sector.clamped(to: range).clamped(to: 0..<min(ceiling, latest))
            try put(oldBytes(change, range, part)[...], at: part.lowerBound)
            lost += part.count
        }
        if lost > 0 { losses.changes += 1 }
        losses.bytes += lost
    }

    /// What a part of a write has replaced: zeros where the file ended before.
    private func oldBytes(_ change: FileChange, _ range: Range<Int>, _ part: Range<Int>) -> [UInt8] {
        part.map { index in
            let offset = index - range.lowerBound
            return offset < change.old.count ? change.old[offset] : 0
        }
    }

    // MARK: Sizes

    /// Gives the file a size between `base` and the latest one: that after a change, or a whole number of pages.
    private mutating func resize(
        _ changes: ArraySlice<FileChange>, _ base: Int, _ latest: Int, _ survival: Survival
    ) throws {
        guard base < latest else { return }
        let size: Int
        switch survival {
        case .none: size = base
        case .all: size = latest
        case .upTo(let last):
            size = max(base, last < changes.startIndex ? base : sizeAfter(last, changes, latest))
        case .some:
            let between = Int.random(in: base...latest, using: &dice)
            let pages = max(base, between / Self.page * Self.page)
            size = dice.pick([(2, base), (2, latest), (3, pages), (1, between)])
        }
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw failure("ftruncate") }
        losses.cutOff += latest - size
    }

    /// The size after a change is the one before the next.
    private func sizeAfter(_ index: Int, _ changes: ArraySlice<FileChange>, _ latest: Int) -> Int {
        index + 1 < changes.endIndex ? changes[index + 1].before : latest
    }

    // MARK: The file

    private func size() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("fstat") }
        return Int(status.st_size)
    }

    private func put(_ bytes: ArraySlice<UInt8>, at offset: Int) throws {
        guard !bytes.isEmpty else { return }
        let count = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
        guard count == bytes.count else { throw failure("pwrite") }
    }

    private func failure(_ what: String) -> TestKitError { TestKitError("\(what): errno \(errno)") }
}
