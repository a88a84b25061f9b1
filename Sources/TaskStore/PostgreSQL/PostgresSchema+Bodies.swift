extension PostgresSchema {
    /// Bodies are in chunks, so that no process needs memory for all of one. Pictures don't compress, so PostgreSQL does
    /// not try. `blobs_totals` has all that is summed up.
    static let bodies = """
        CREATE TABLE blobs (
            blob bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind bigint NOT NULL,
            name text COLLATE "C" NOT NULL,
            task uuid,
            owner text COLLATE "C" NOT NULL,
            created_at bigint NOT NULL,
            bytes bigint NOT NULL,
            UNIQUE (kind, name)
        );
        CREATE INDEX blobs_totals ON blobs (kind, owner, bytes);
        CREATE TABLE blob_chunks (
            blob bigint NOT NULL REFERENCES blobs ON DELETE CASCADE,
            chunk bigint NOT NULL,
            content bytea NOT NULL,
            PRIMARY KEY (blob, chunk)
        );
        ALTER TABLE blob_chunks ALTER content SET STORAGE EXTERNAL;
        """
}

/// The statements that read and write bodies.
enum BlobQuery: String {
    case begin, commit, rollback, insert, insertChunk, firstChunk, chunk, find, list, listOwn
    case total, totalOfOwner, totalOfOwnTasks, remove, expire, removeSent, removeSentOne

    var sql: String {
        switch self {
        case .begin: "BEGIN"
        case .commit: "COMMIT"
        case .rollback: "ROLLBACK"
        // What other transactions have not committed does not count, so that none waits for another.
        case .insert:
            """
            INSERT INTO blobs (kind, name, task, owner, created_at, bytes) SELECT $1, $2, $3, $4, $5, $6
            FROM (SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM blobs WHERE kind = $1) AS taken
            WHERE taken.count < $7 AND taken.bytes + $6 <= $8 RETURNING blob
            """
        case .insertChunk: "INSERT INTO blob_chunks (blob, chunk, content) VALUES ($1, $2, $3)"
        case .firstChunk:
            """
            SELECT blob, bytes, content FROM blobs JOIN blob_chunks USING (blob)
            WHERE kind = $1 AND name = $2 AND chunk = 0
            """
        case .chunk: "SELECT content FROM blob_chunks WHERE blob = $1 AND chunk = $2"
        case .find: "\(Self.description) AND blobs.name = $2"
        case .list: "\(Self.description) ORDER BY blobs.created_at, blobs.blob"
        case .listOwn: "\(Self.description) AND blobs.owner = $2 ORDER BY blobs.created_at, blobs.blob"
        case .total: Self.sum
        case .totalOfOwner: "\(Self.sum) AND owner = $2"
        case .totalOfOwnTasks:
            """
            \(Self.sum) AND EXISTS (SELECT FROM tasks
            WHERE tasks.id = blobs.task AND tasks.owner = \(PostgresDialect.replica))
            """
        case .remove: "DELETE FROM blobs WHERE kind = $1 AND name = $2"
        case .expire:
            Self.removal(
                """
                created_at < $2 OR (task IS NOT NULL AND NOT EXISTS (SELECT FROM tasks
                WHERE tasks.id = blobs.task AND (finished_at IS NULL OR finished_at >= $3)))
                """)
        case .removeSent: Self.removal(Self.isSent)
        case .removeSentOne: Self.removal("name = $2 AND \(Self.isSent)")
        }
    }

    /// Selects what ``StoredBlob/init(_:_:_:)`` reads.
    private static let description = """
        SELECT blobs.name, blobs.task, blobs.owner, blobs.created_at, blobs.bytes, tasks.state, tasks.finished_at
        FROM blobs LEFT JOIN tasks ON tasks.id = blobs.task WHERE blobs.kind = $1
        """

    private static let sum = "SELECT count(*), coalesce(sum(bytes), 0)::bigint FROM blobs WHERE kind = $1"

    private static let isSent = """
        NOT EXISTS (SELECT FROM tasks WHERE tasks.id = blobs.task
        AND state IN (\(TaskState.intent.rawValue), \(TaskState.queued.rawValue)))
        """

    /// Skips what another process is removing, so that none waits for another.
    private static func removal(_ condition: String) -> String {
        """
        DELETE FROM blobs WHERE blob IN (SELECT blob FROM blobs WHERE kind = $1 AND (\(condition))
        ORDER BY blob FOR UPDATE SKIP LOCKED)
        """
    }
}
