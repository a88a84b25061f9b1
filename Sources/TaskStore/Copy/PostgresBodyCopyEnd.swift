internal import Base
internal import PostgreSQL

/// The bodies in a PostgreSQL database, for a copy.
struct PostgresBodyCopyEnd: BodyCopyEnd {
    /// What the bodies of a copy may be together: what they were in its source.
    private static let anything = BlobTotal(count: .max, bytes: .max)

    private let schema: String
    private let connection: PostgresBlobConnection

    init(_ server: PostgresServer) throws(StoreError) {
        schema = server.schema
        connection = try Self.wrapping { () throws(PostgresError) in try PostgresBlobConnection(server) }
    }

    func place(of kind: BlobKind) -> String { "\(schema).blobs" }

    func list(_ kind: BlobKind) throws(StoreError) -> [Blob] {
        try Self.wrapping { () throws(PostgresError) in try connection.list(kind, owner: nil).map(\.blob) }
    }

    func read(_ blob: Blob) throws(StoreError) -> Bytes? {
        try Self.wrapping { () throws(PostgresError) in try connection.read(blob.kind, blob.name, holding: nil) }
    }

    func write(_ blob: Blob, _ body: Bytes) throws(StoreError) {
        _ = try Self.wrapping { () throws(PostgresError) in
            try connection.write(blob, [ByteSlice(body, 0..<body.count)], within: Self.anything)
        }
    }

    private static func wrapping<Value>(_ body: () throws(PostgresError) -> Value) throws(StoreError) -> Value {
        do throws(PostgresError) { return try body() } catch { throw StoreError(error) }
    }
}
