internal import Base
internal import PostgreSQL

/// A connection that reads and writes bodies. Belongs to one thread. After an error it cannot be used any more, and the
/// server undoes what was not committed.
final class PostgresBlobConnection {
    /// How many bytes a row of `blob_chunks` has, and a round trip.
    static let chunkSize = 1 << 20

    private let session: PostgresSession

    init(_ server: PostgresServer) throws(PostgresError) {
        session = try server.connect("bodies")
        try server.makeDurable(session)
        try session.startPipeline()
    }

    /// - Returns: false if there is no room.
    func write(_ blob: Blob, _ body: [ByteSlice], within bounds: BlobTotal) throws(PostgresError) -> Bool {
        try send(.begin)
        try send(.remove, [.integer(blob.kind), .text(blob.name)])
        try send(
            .insert,
            [
                .integer(blob.kind), .text(blob.name), .uuid(blob.task), .text(blob.owner), .integer(blob.createdAt),
                .integer(Int64(blob.bytes)), .integer(Int64(bounds.count)), .integer(Int64(bounds.bytes)),
            ])
        let inserted = try session.result()
        guard inserted.count > 0 else {
            try send(.rollback)
            try session.sync()
            return false
        }
        try insertChunks(of: body, into: inserted.integer(0, 0))
        try send(.commit)
        try session.sync()
        return true
    }

    /// Sends the chunks, each after the one before was taken. Even an empty body has a chunk.
    private func insertChunks(of body: [ByteSlice], into row: Int64) throws(PostgresError) {
        var chunks = BlobChunks(body, size: Self.chunkSize)
        var number: Int64 = 0
        while let chunk = chunks.next() {
            if number > 0 { _ = try session.result() }
            try send(.insertChunk, [.integer(row), .integer(number), .bytes(chunk)])
            number += 1
        }
    }

    /// - Returns: nil if there is none, or if it was removed while it was read.
    func read(_ kind: BlobKind, _ name: String, holding: (any Sendable)?) throws(PostgresError) -> Bytes? {
        try send(.firstChunk, [.integer(kind), .text(name)])
        let first = try session.result()
        guard first.count > 0 else {
            try session.sync()
            return nil
        }
        let (row, size) = (first.integer(0, 0), Int(first.integer(0, 1)))
        guard let block = Bytes(reserving: size, onRelease: { withExtendedLifetime(holding) {} }) else {
            throw PostgresError("no memory for a body of \(size) bytes", sqlState: "53200")
        }
        var isWhole = first.append(0, 2, to: block)
        var number: Int64 = 1
        while isWhole, block.count < size {
            try send(.chunk, [.integer(row), .integer(number)])
            let next = try session.result()
            isWhole = next.count > 0 && next.append(0, 0, to: block)
            number += 1
        }
        try session.sync()
        return isWhole ? block : nil
    }

    func find(_ kind: BlobKind, _ name: String) throws(PostgresError) -> StoredBlob? {
        let result = try run(.find, [.integer(kind), .text(name)])
        return result.count > 0 ? StoredBlob(kind, result, 0) : nil
    }

    func list(_ kind: BlobKind, owner: String?) throws(PostgresError) -> [StoredBlob] {
        let result = try run(owner == nil ? .list : .listOwn, Self.values(kind, owner))
        return (0..<Int32(result.count)).map { StoredBlob(kind, result, $0) }
    }

    func total(_ kind: BlobKind, _ share: BlobShare) throws(PostgresError) -> BlobTotal {
        let result =
            switch share {
            case .all: try run(.total, Self.values(kind, nil))
            case .owner(let owner): try run(.totalOfOwner, Self.values(kind, owner))
            case .ownTasks: try run(.totalOfOwnTasks, Self.values(kind, nil))
            }
        return BlobTotal(count: Int(result.integer(0, 0)), bytes: Int(result.integer(0, 1)))
    }

    /// Removes the blobs in the order of their names, as every process does, so that none waits for another.
    func remove(_ kind: BlobKind, _ names: [String]) throws(PostgresError) {
        for name in names.sorted() { try send(.remove, [.integer(kind), .text(name)]) }
        try session.sync()
    }

    func expire(_ kind: BlobKind, createdBefore: Int64, tasksEndedBefore: Int64) throws(PostgresError) -> Int {
        try run(.expire, [.integer(kind), .integer(createdBefore), .integer(tasksEndedBefore)]).changes
    }

    func removeSent(_ kind: BlobKind, _ name: String?) throws(PostgresError) -> Int {
        try run(name == nil ? .removeSent : .removeSentOne, Self.values(kind, name)).changes
    }

    private static func values(_ kind: BlobKind, _ text: String?) -> [PostgresValue] {
        [.integer(kind)] + (text.map { [.text($0)] } ?? [])
    }

    private func send(_ query: BlobQuery, _ values: [PostgresValue] = []) throws(PostgresError) {
        try session.send(query.sql, named: "blob_\(query.rawValue)", values)
    }

    /// Runs a statement that is a transaction of its own.
    private func run(_ query: BlobQuery, _ values: [PostgresValue]) throws(PostgresError) -> PostgresResult {
        try send(query, values)
        let result = try session.result()
        try session.sync()
        return result
    }
}

/// Cuts a body of many slices into chunks of one size. An empty body is one empty chunk.
private struct BlobChunks {
    private let slices: [ByteSlice]
    private let size: Int
    /// The slice that the next chunk begins in, and the place there.
    private var position = (slice: 0, offset: 0)
    private var left: Int
    private var isFirst = true

    init(_ slices: [ByteSlice], size: Int) {
        self.slices = slices
        self.size = size
        left = slices.reduce(0) { $0 + $1.count }
    }

    mutating func next() -> [UInt8]? {
        guard left > 0 || isFirst else { return nil }
        isFirst = false
        var chunk: [UInt8] = []
        chunk.reserveCapacity(min(size, left))
        while chunk.count < size, position.slice < slices.count {
            let slice = slices[position.slice]
            let count = min(size - chunk.count, slice.count - position.offset)
            unsafe slice.withUnsafeBytes { bytes in
                unsafe chunk.append(contentsOf: bytes[position.offset..<position.offset + count])
            }
            position.offset += count
            if position.offset == slice.count { position = (position.slice + 1, 0) }
        }
        left -= chunk.count
        return chunk
    }
}

extension StoredBlob {
    fileprivate init(_ kind: BlobKind, _ result: PostgresResult, _ row: Int32) {
        let task = result.isNull(row, 1) ? nil : result.uuid(row, 1)
        blob = Blob(
            kind, result.text(row, 0) ?? "", task: task.map { TaskID(high: $0.high, low: $0.low) },
            owner: result.text(row, 2) ?? "", createdAt: result.integer(row, 3), bytes: Int(result.integer(row, 4)))
        taskState = result.isNull(row, 5) ? nil : TaskState(rawValue: Int(result.integer(row, 5)))
        taskEndedAt = result.isNull(row, 6) ? nil : result.integer(row, 6)
    }
}

extension PostgresValue {
    fileprivate static func integer(_ kind: BlobKind) -> PostgresValue { .integer(Int64(kind.rawValue)) }

    fileprivate static func uuid(_ id: TaskID?) -> PostgresValue {
        .uuid(id.map { UUIDBytes(high: $0.high, low: $0.low) })
    }
}
