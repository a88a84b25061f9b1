public import Base
internal import CPostgreSQL

/// The rows that a statement returned, in the server's binary format. Rows and columns count from 0.
@safe public final class PostgresResult {
    // Owns the result, which no other object refers to.
    private let result: OpaquePointer
    private let pq: libpq

    init(owning result: OpaquePointer, _ pq: libpq) {
        unsafe self.result = result
        self.pq = pq
    }

    deinit { unsafe pq.PQclear(result) }

    /// The number of rows.
    public var count: Int { unsafe Int(pq.PQntuples(result)) }

    /// The number of rows that the statement has changed.
    public var changes: Int { unsafe pq.PQcmdTuples(result).flatMap { unsafe Int(String(cString: $0)) } ?? 0 }

    public func isNull(_ row: Int32, _ column: Int32) -> Bool { unsafe pq.PQgetisnull(result, row, column) == 1 }

    /// A whole number of any size; 0 for NULL.
    public func integer(_ row: Int32, _ column: Int32) -> Int64 {
        unsafe withBytes(row, column) { bytes in
            guard let first = unsafe bytes.first else { return 0 }
            return unsafe bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
        }
    }

    public func text(_ row: Int32, _ column: Int32) -> String? {
        if isNull(row, column) { return nil }
        return unsafe withBytes(row, column) { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }

    /// The bytes of a value; empty for NULL.
    public func bytes(_ row: Int32, _ column: Int32) -> [UInt8] {
        unsafe withBytes(row, column) { bytes in unsafe Array(bytes) }
    }

    /// Appends the bytes of a value to a block that its caller fills.
    /// - Returns: false, and nothing is appended, if there is no room for them.
    public func append(_ row: Int32, _ column: Int32, to block: Bytes) -> Bool {
        unsafe withBytes(row, column) { bytes in
            guard bytes.count <= block.capacity - block.count else { return false }
            unsafe block.append(contentsOf: bytes)
            return true
        }
    }

    /// A value of type `uuid`.
    public func uuid(_ row: Int32, _ column: Int32) -> PostgresValue.UUIDBytes {
        unsafe withBytes(row, column) { bytes in
            guard bytes.count == 16 else { return PostgresValue.UUIDBytes(high: 0, low: 0) }
            return unsafe PostgresValue.UUIDBytes(
                high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    private func withBytes<Value>(_ row: Int32, _ column: Int32, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let length = unsafe Int(pq.PQgetlength(result, row, column))
        return unsafe body(UnsafeRawBufferPointer(start: pq.PQgetvalue(result, row, column), count: length))
    }

    // MARK: For sessions

    var status: Int32 { unsafe pq.PQresultStatus(result) }

    /// The error that this result reports.
    var error: PostgresError {
        let message = unsafe pq.PQresultErrorMessage(result).map { unsafe String(cString: $0) } ?? ""
        return PostgresError(
            message.trimmedLines, sqlState: field(libpq_field_sqlstate), constraint: field(libpq_field_constraint))
    }

    private func field(_ code: Int32) -> String? {
        unsafe pq.PQresultErrorField(result, code).map { unsafe String(cString: $0) }
    }
}

extension String {
    /// The text as one line, without the indentation of its lines.
    var trimmedLines: String {
        split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }.joined(separator: "; ")
    }
}
