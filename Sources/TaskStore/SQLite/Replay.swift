internal import GRDB

/// Moves what only the redo log has into the database.
struct Replay {
    let database: Database

    /// What the database says of its redo log; nil if its schema is from before there was one.
    func mark() throws(StoreError) -> RedoMark? {
        do {
            guard try database.tableExists("redo_mark") else { return nil }
            return try Row.fetchOne(database, sql: Query.redoMark.sql).map {
                RedoMark(identity: $0["identity"], applied: $0["applied"])
            }
        } catch {
            throw StoreError(error)
        }
    }

    /// Runs the statements of the frames that the database lacks, in one transaction. If SQLite syncs its commits, the
    /// log is not needed afterwards.
    /// - Parameters:
    ///   - path: how errors name the log.
    /// - Throws: `corrupt` if the log and the database do not belong together.
    func apply(_ frames: [RedoFrame], from path: String) throws(StoreError) {
        guard let first = frames.first, let last = frames.last else { return }
        do {
            try database.inTransaction(.immediate) {
                guard let mark = try mark() else { return .rollback }
                guard first.sequence <= mark.applied + 1 else {
                    throw StoreError(
                        .corrupt,
                        "the redo log \(path) starts at \(first.sequence) and the database ends at \(mark.applied): it was "
                            + "replaced by an older copy. Remove \(path) to serve from the copy as it is")
                }
                try run(frames, after: mark.applied, from: path)
                // Even if the database lacked nothing, its last commits may not be synced. This one is, and with it they.
                try database.execute(
                    sql: Query.keepRedoMark.sql, arguments: [max(last.sequence, mark.applied)])
                return .commit
            }
        } catch {
            throw StoreError(error)
        }
    }

    private func run(_ frames: [RedoFrame], after applied: Int64, from path: String) throws {
        var statements: [UInt16: PreparedStatement] = [:]
        for frame in frames {
            guard let entries = RedoEntry.entries(in: frame.entries) else {
                throw StoreError(.corrupt, "frame \(frame.sequence) of the redo log \(path) cannot be read")
            }
            for entry in entries {
                switch entry {
                case .statement(let code, let sql):
                    statements[code] = PreparedStatement(try database.makeStatement(sql: sql))
                case .run(let code, let values):
                    guard frame.sequence > applied, let statement = statements[code] else { continue }
                    for value in values { statement.bind(value) }
                    try statement.execute()
                }
            }
        }
    }

    /// Syncs the database, so that the redo log is no longer needed.
    func sync() throws(StoreError) {
        try StoreDatabase.setSynchronous(.full, database)
        do {
            // The sync of a commit is one of the whole log: it covers all commits before it.
            try database.inTransaction(.immediate) {
                try database.execute(sql: "UPDATE redo_mark SET commits = commits + 1")
                return .commit
            }
        } catch {
            throw StoreError(error)
        }
        try StoreDatabase.setSynchronous(.normal, database)
    }
}

extension PreparedStatement {
    fileprivate func bind(_ value: RedoValue) {
        let index = Int32(value.index)
        switch value.content {
        case .null: bindNull(index)
        case .integer(let number): bind(index, number)
        case .text(let bytes): bind(index, String(decoding: bytes, as: UTF8.self))
        case .blob(let bytes): bind(index, bytes)
        }
    }
}
