/// Copies a store into another database: all rows, in batches, and then compares them. Bodies are copied by its caller,
/// who knows where they are.
///
/// The copy becomes a store only when it is complete and equal. A copy that was interrupted goes on where it ended.
public struct StoreCopy {
    /// A store that is copied, or that a copy becomes.
    public enum Place: Sendable {
        case sqlite(path: String)
        case postgres(url: String)
    }

    /// How far a copy is.
    public struct Progress: Sendable, Equatable {
        /// The table, or what kind of bodies.
        public let part: String
        /// How many of its rows or bodies have been copied, or compared.
        public let count: Int
        /// Whether they are being compared.
        public let isCheck: Bool

        public init(part: String, count: Int, isCheck: Bool) {
            (self.part, self.count, self.isCheck) = (part, count, isCheck)
        }
    }

    /// What is needed to copy the bodies too.
    public struct Bodies {
        /// Those in the source's database, and in the copy's; nil if a store has them in files.
        public let source, copy: (any BodyCopyEnd)?
        /// The tasks that are queued, and how many bytes the body of each has.
        public let queued: [TaskID: Int]
    }

    private static let batch = 1000

    private let source: any CopyEnd
    private let copy: any CopyEnd
    private let report: (Progress) -> Void

    /// Copies a store. This blocks the thread.
    /// - Parameters:
    ///   - source: nobody may serve from it.
    ///   - destination: where no store is yet.
    ///   - copyBodies: copies the bodies and compares them, before the rows are copied.
    ///   - report: called after each batch, and at the end of each table.
    /// - Throws: `notFound` if there is no store at `source`; `alreadyExists` if there is one at `destination`;
    ///   `alreadyServed`; `corrupt` if the rows of the copy differ, which then is not made a store.
    public static func run(
        from source: Place, to destination: Place,
        bodies copyBodies: (Bodies) throws(StoreError) -> Void = { _ in },
        report: @escaping (Progress) -> Void = { _ in }
    ) throws(StoreError) {
        let from = try open(source)
        defer { from.close() }
        let to = try create(destination)
        defer { to.close() }
        try copyBodies(Bodies(source: from.bodies(), copy: to.bodies(), queued: from.queued()))
        let copy = StoreCopy(source: from, copy: to, report: report)
        for table in CopiedTable.all { try copy.transfer(table) }
        for table in CopiedTable.all { try copy.compare(table) }
        try to.publish()
    }

    private static func open(_ place: Place) throws(StoreError) -> any CopyEnd {
        switch place {
        case .sqlite(let path): try SQLiteCopyEnd(reading: path)
        case .postgres(let url): try PostgresCopyEnd(reading: url)
        }
    }

    private static func create(_ place: Place) throws(StoreError) -> any CopyEnd {
        switch place {
        case .sqlite(let path): try SQLiteCopyEnd(creating: path)
        case .postgres(let url): try PostgresCopyEnd(creating: url)
        }
    }

    /// Copies the rows that the copy does not have yet.
    private func transfer(_ table: CopiedTable) throws(StoreError) {
        var (last, count) = (try copy.lastKey(of: table), 0)
        while true {
            let rows = try source.rows(of: table, after: last, limit: Self.batch)
            guard let end = rows.last else { break }
            try copy.insert(rows, into: table)
            last = Array(end.prefix(table.keyCount))
            count += rows.count
            report(Progress(part: table.name, count: count, isCheck: false))
        }
        report(Progress(part: table.name, count: count, isCheck: false))
    }

    /// Reads all rows of both databases side by side.
    private func compare(_ table: CopiedTable) throws(StoreError) {
        var (last, count): ([CopiedValue]?, Int) = (nil, 0)
        while true {
            let rows = try source.rows(of: table, after: last, limit: Self.batch)
            let copies = try copy.rows(of: table, after: last, limit: Self.batch)
            guard rows == copies else {
                throw StoreError(
                    .corrupt,
                    "the copy of \(table.name) differs after \(count) rows: the source was changed, or a disk is damaged. "
                        + "Nothing serves from the copy; remove it and copy again")
            }
            count += rows.count
            guard let end = rows.last else { break }
            last = Array(end.prefix(table.keyCount))
        }
        report(Progress(part: table.name, count: count, isCheck: true))
    }
}
