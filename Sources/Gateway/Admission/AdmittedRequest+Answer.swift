internal import Base
internal import HTTPServer
internal import TaskStore

/// Answers that may be long: they take their part of the memory for bodies until they are sent.
extension AdmittedRequest {
    /// How long a page waits for memory, before anything of it is read.
    private static let patience = Duration.seconds(10)
    /// What an element has beside Kling's answer, about, in bytes.
    private static let beside = 512

    /// Bodies of up to this size are not reckoned with, as for requests.
    static let shortAnswer = 64 << 10

    /// A 200 with `body`. One over ``shortAnswer`` finds memory at once or is refused: while it waited, others would join
    /// it.
    /// - Throws: ``Cause/noMemory``.
    func success(_ body: [UInt8]) async throws(GatewayError) -> HTTPResponse {
        var response = Answer.success([], requestID: note.requestID)
        response.body = .bytes(body)
        if body.count <= Self.shortAnswer { return response }
        let lease: ByteBudget.Lease
        do {
            lease = try await budget.reserve(body.count, owner: tenant, on: request.loop, patience: .zero)
        } catch {
            throw GatewayError.noRoom(for: error, "answer", body.count, "Ask again later.")
        }
        let block = Bytes(capacity: body.count) { withExtendedLifetime(lease) {} }
        unsafe body.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        response.body = .slices([ByteSlice(block, 0..<block.count)])
        return response
    }

    /// Reads a page; if it is long, memory for it is taken before that.
    /// - Parameters:
    ///   - count: how many elements it has at most.
    ///   - copies: how often an answer stands in the page, at most.
    ///   - fix: what the client may ask for instead.
    ///   - read: reads the page, unless the answers in it have more bytes than it is told.
    /// - Returns: the page, and its memory, to be held until it is sent; nil if that is so little that nobody counts it.
    /// - Throws: ``Cause/noMemory``; what the store says.
    func page<Record>(
        of count: Int, copies: Int = 1, fix: String,
        _ read: (_ limit: Int) async throws(StoreError) -> RecordPage<Record>
    ) async throws(GatewayError) -> (records: [Record], lease: ByteBudget.Lease?) {
        var (limit, lease): (Int, ByteBudget.Lease?) = (Self.shortAnswer, nil)
        // Between two rounds the page may have grown.
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
                lease = try await room(for: bytes * copies + count * Self.beside, fix: fix)
                limit = bytes
            }
        }
    }

    /// Takes the memory for a page.
    /// - Throws: ``Cause/noMemory``, with what the client may ask for instead.
    func room(for bytes: Int, fix: String) async throws(GatewayError) -> ByteBudget.Lease {
        do {
            return try await budget.reserve(bytes, owner: tenant, on: request.loop, patience: Self.patience)
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
