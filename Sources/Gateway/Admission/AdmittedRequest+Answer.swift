internal import Base
internal import HTTPServer
internal import TaskStore

/// Answers that may be long: they reserve memory from the budget for bodies until they are sent.
extension AdmittedRequest {
    /// How long a page waits for memory before it is read.
    private static let patience = Duration.seconds(10)
    /// The approximate size of an element besides Kling's answer, in bytes.
    private static let elementOverhead = 512

    /// Bodies up to this size are not counted, as for requests.
    static let shortAnswer = 64 << 10

    /// A 200 with `body`. A body over ``shortAnswer`` gets memory at once or is refused: while it waited, more such
    /// answers would pile up.
    /// - Throws: ``Cause/noMemory``.
    func success(_ body: [UInt8]) async throws(GatewayError) -> HTTPResponse {
        var response = Answer.success([], requestID: note.requestID)
        response.body = .bytes(body)
        if body.count <= Self.shortAnswer { return response }
        let lease: ByteBudget.Lease
        do {
            lease = try await budget.reserve(body.count, owner: tenant, patience: .zero)
        } catch {
            throw GatewayError.noRoom(for: error, "answer", body.count, "Ask again later.")
        }
        let block = Bytes(capacity: body.count) { withExtendedLifetime(lease) {} }
        unsafe body.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        response.body = .slices([ByteSlice(block, 0..<block.count)])
        return response
    }

    /// Reads a page. Memory for a long page is reserved before it is read.
    /// - Parameters:
    ///   - count: the maximum number of elements.
    ///   - copies: how often the page contains each answer, at most.
    ///   - fix: tells the client what it may ask for instead.
    ///   - read: reads the page, unless its answers have more than `limit` bytes.
    /// - Returns: the page, and the lease of its memory to hold until it is sent; nil for a page that is too small to
    ///   count.
    /// - Throws: ``Cause/noMemory``, or the store's error.
    func page<Record>(
        of count: Int, copies: Int = 1, fix: String,
        _ read: (_ limit: Int) async throws(StoreError) -> RecordPage<Record>
    ) async throws(GatewayError) -> (records: [Record], lease: ByteBudget.Lease?) {
        var (limit, lease): (Int, ByteBudget.Lease?) = (Self.shortAnswer, nil)
        // The page may grow between two rounds.
        while true {
            let page: RecordPage<Record>
            do {
                page = try await read(limit)
            } catch {
                throw GatewayError(error)
            }
            switch page {
            case .records(let records): return (records, lease)
            case .long(let bytes):
                lease = nil
                lease = try await room(for: bytes * copies + count * Self.elementOverhead, fix: fix)
                limit = bytes
            }
        }
    }

    /// Reserves the memory for a page.
    /// - Throws: ``Cause/noMemory``, which tells the client what it may ask for instead.
    func room(for bytes: Int, fix: String) async throws(GatewayError) -> ByteBudget.Lease {
        do {
            return try await budget.reserve(bytes, owner: tenant, patience: Self.patience)
        } catch {
            throw GatewayError.noRoom(for: error, "page", bytes, fix)
        }
    }
}

extension GatewayError {
    fileprivate static func noRoom(
        for error: RequestBodyError, _ what: String, _ bytes: Int, _ fix: String
    ) -> GatewayError {
        guard error == .noBudget else { return GatewayError(error) }
        let size = "\((bytes + (1 << 20) - 1) >> 20) MiB"
        return GatewayError(.noMemory, "The \(what) has \(size), for which the gateway has no memory now. \(fix)")
    }
}
