internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
internal import Pictures

/// The gateway's own work on pictures: it fetches them, stitches two garments into one picture, and converts what an
/// account would not accept.
///
/// Bytes count in the budget while they are held; the memory for decoding is bounded by the workers.
final class PictureService: Sendable {
    private let fetcher: PictureFetcher
    private let workers: PictureWorkers
    private let limits = PictureLimits()

    init(fetcher: PictureFetcher, workers: PictureWorkers) {
        self.fetcher = fetcher
        self.workers = workers
    }

    /// Refuses new work, and the work that waits.
    func stop() { workers.stop() }

    /// Stitches two garments into a JPEG file within Kling's limits that shows both whole, `upper` above `lower`.
    /// - Throws: an error that names the given field; 503 if too many pictures are waiting.
    func oneGarment(
        upper: GivenPicture, lower: GivenPicture, tenant: String
    ) async throws(GatewayError) -> Bytes {
        // Memory for the result comes first, so that a request that has got further is not turned away.
        let lease = try await reserve(limits.maxOutputBytes, for: upper.field, tenant)
        async let second = outcome { () async throws(GatewayError) in try await self.file(of: lower, tenant) }
        let first = await outcome { () async throws(GatewayError) in try await self.file(of: upper, tenant) }
        let found = (upper: first, lower: await second)
        defer { for file in [found.upper, found.lower] { (try? file.get())?.returnBudget() } }
        let files = (upper: try found.upper.get(), lower: try found.lower.get())
        let made: Result<Bytes?, StitchDefect> = try await run { [limits] () throws(StitchDefect) in
            let made = try PictureKit.stitch(upper: files.upper.file, lower: files.lower.file, limits: limits)
            return Bytes(made, holding: lease)
        }
        if case .success(let bytes?) = made { return bytes }
        // Released here, because a worker may release it only a moment after its answer.
        lease.shrink(to: 0)
        guard case .failure(let error) = made else { throw GatewayError(.noBudget) }
        throw GatewayError(error.defect, in: (error.part == .upper ? upper : lower).field)
    }

    /// Fetches the file that Kling has made, whose URL is in an account's answer.
    func result(_ url: String, tenant: String) async throws(GatewayError) -> Bytes {
        do throws(FetchProblem) {
            let held = try await fetcher.fetchResult(url, limit: limits.maxInputBytes, tenant: tenant)
            guard let lease = held.lease else { return held.file.bytes }
            guard let copy = Bytes(held.file.bytes, holding: lease) else { throw FetchProblem.noRoom(.noBudget) }
            return copy
        } catch {
            if case .noRoom(let error) = error { throw GatewayError(error) }
            throw GatewayError(.upstreamFailed, "The picture was made, but it \(error.words)")
        }
    }

    /// Converts a file, if necessary, to one that Kling accepts as a link, within ``PictureLimits/solutions``.
    /// - Parameter field: its name in errors.
    /// - Returns: the file itself if it needs no change, else a JPEG file, which counts in the budget while it is held.
    func prepared(
        _ file: ByteSlice, field: String, tenant: String
    ) async throws(GatewayError) -> (file: ByteSlice, format: PictureFormat) {
        let limits = PictureLimits.solutions
        let lease = try await reserve(limits.maxOutputBytes, for: field, tenant)
        let made: Result<(Bytes?, PictureFormat), PictureDefect> = try await run { () throws(PictureDefect) in
            let (made, format) = try PictureKit.prepare(file, limits: limits)
            guard let made else { return (nil, format) }
            guard let copy = Bytes(made, holding: lease) else { throw .noMemory }
            return (copy, format)
        }
        switch made {
        case .success((let bytes?, let format)): return (ByteSlice(bytes, 0..<bytes.count), format)
        case .success((nil, let format)):
            lease.shrink(to: 0)
            return (file, format)
        case .failure(let defect):
            lease.shrink(to: 0)
            throw GatewayError(defect, in: field)
        }
    }

    /// A picture of a request as a file that Kling accepts as a link.
    /// - Returns: the file, and the lease of its memory to hold as long as the file; nil if the client sent the
    ///   picture's URL and the gateway can't fetch it, or not now: then Kling fetches it.
    func fileToHost(
        _ field: PictureField, of request: TryOnRequest, _ tenant: String
    ) async throws(GatewayError) -> (bytes: ByteSlice, format: PictureFormat, lease: ByteBudget.Lease?)? {
        let held: HeldFile
        if let url = request.pictureURL(field) {
            do {
                held = try await fetcher.fetch(url, limit: limits.maxInputBytes, tenant: tenant)
            } catch {
                return nil
            }
        } else {
            guard let file = request.base64File(field) else { return nil }
            let lease = try await reserve(file.count, for: field.rawValue, tenant)
            let decoded: Result<Bytes?, Never> = try await run { file.decoded() }
            guard let bytes = decoded.get() else { throw GatewayError(.noBudget) }
            held = HeldFile(bytes, lease)
        }
        let (file, format) = try await prepared(held.file, field: field.rawValue, tenant: tenant)
        return (file, format, held.lease)
    }

    // MARK: Normalizing

    /// The pictures to send in place of those of `request` to an account that wants them normalized, or accepts no
    /// files in their format.
    ///
    /// Kling itself fetches a URL that the gateway can't fetch, or not now. A file that Kling could not accept as a
    /// picture is an error.
    func replacements(
        for fields: [PictureField], of request: TryOnRequest, tenant: String
    ) async throws(GatewayError) -> TryOnRequest.Replacements {
        async let second = outcome { () async throws(GatewayError) in
            fields.contains(.cloth) ? try await self.replacement(.cloth, of: request, tenant) : nil
        }
        let first = await outcome { () async throws(GatewayError) in
            fields.contains(.human) ? try await self.replacement(.human, of: request, tenant) : nil
        }
        return TryOnRequest.Replacements(human: try first.get(), cloth: try await second.get())
    }

    private func replacement(
        _ field: PictureField, of request: TryOnRequest, _ tenant: String
    ) async throws(GatewayError) -> ByteSlice? {
        let made: Result<Bytes?, PictureDefect>
        do throws(FetchProblem) {
            // For the picture while it is converted, and then for its text, which is a third longer.
            let lease = try await fetcher.reserve(limits.maxOutputBytes * 4 / 3 + 4, tenant: tenant)
            if let url = request.pictureURL(field) {
                let held = try await fetcher.fetch(url, limit: limits.maxInputBytes, tenant: tenant)
                defer { held.returnBudget() }
                made = try await normalized(lease, isFetched: true) { held.file }
            } else {
                guard let file = request.base64File(field) else { return nil }
                let held = try await fetcher.reserve(file.count, tenant: tenant)
                defer { held.shrink(to: 0) }
                made = try await normalized(lease, isFetched: false) { () throws(PictureDefect) in
                    guard let bytes = file.decoded() else { throw .noMemory }
                    return HeldFile(bytes, held).file
                }
            }
        } catch {
            // A file in a format that Kling doesn't accept can't be left to it.
            guard let format = request.fileFormat(field), !limits.formats.contains(format) else { return nil }
            throw GatewayError(error, in: field.rawValue)
        }
        do {
            return try made.get().map { ByteSlice($0, 0..<$0.count) }
        } catch {
            throw GatewayError(error, in: field.rawValue)
        }
    }

    /// The base64 text of a picture to send in place of the original; nil if the original can stay.
    /// - Parameter isFetched: whether the picture was fetched, and so is sent even if it needs no change.
    private func normalized(
        _ lease: ByteBudget.Lease, isFetched: Bool, _ file: @escaping @Sendable () throws(PictureDefect) -> ByteSlice
    ) async throws(FetchProblem) -> Result<Bytes?, PictureDefect> {
        do {
            return try await workers.run { [limits] () throws(PictureDefect) -> Bytes? in
                let file = try file()
                var text: Bytes?
                defer { lease.shrink(to: text?.count ?? 0) }
                if let made = try PictureKit.normalize(file, limits: limits) ?? (isFetched ? file.bytes : nil) {
                    text = Base64.encode(made) { lease.shrink(to: 0) }
                    if text == nil { throw .noMemory }
                }
                return text
            }
        } catch {
            throw .noRoom(error == .full ? .noBudget : .cancelled)
        }
    }

    // MARK: Files

    private func file(
        of picture: GivenPicture, _ tenant: String
    ) async throws(GatewayError) -> HeldFile {
        switch picture.content {
        case .file(let file): return HeldFile(file: file, lease: nil)
        case .url(let url):
            do {
                return try await fetcher.fetch(url, limit: limits.maxInputBytes, tenant: tenant)
            } catch {
                throw GatewayError(error, in: picture.field)
            }
        case .base64(let text):
            // The repaired text and the file are both in memory for a while.
            let lease = try await reserve(text.count * 2, for: picture.field, tenant)
            let file: Base64File
            do {
                file = try await Base64File.read(text)
            } catch {
                throw error == .noMemory ? GatewayError(.noBudget) : .badPicture(picture.field, error.description)
            }
            let decoded: Result<Bytes?, Never> = try await run { file.decoded() }
            guard let bytes = decoded.get() else { throw GatewayError(.noBudget) }
            lease.shrink(to: file.count)
            return HeldFile(bytes, lease)
        }
    }

    func reserve(
        _ count: Int, for field: String, _ tenant: String
    ) async throws(GatewayError) -> ByteBudget.Lease {
        do {
            return try await fetcher.reserve(count, tenant: tenant)
        } catch {
            throw GatewayError(error, in: field)
        }
    }

    func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(GatewayError) -> Result<Value, Failure> {
        do {
            return try await workers.run(body)
        } catch {
            throw error == .full ? .tooManyPictures : GatewayError(RequestBodyError.cancelled)
        }
    }
}

/// The outcome of `body` as a value that a child task can return.
private func outcome<Success: Sendable>(
    _ body: @Sendable () async throws(GatewayError) -> Success
) async -> Result<Success, GatewayError> {
    do { return .success(try await body()) } catch { return .failure(error) }
}

extension HeldFile {
    fileprivate init(_ bytes: Bytes, _ lease: ByteBudget.Lease) {
        self.init(file: ByteSlice(bytes, 0..<bytes.count), lease: lease)
    }
}

extension Bytes {
    /// Creates a copy of `other` that has its share of the budget while it is held; nil if there is no memory for it.
    fileprivate convenience init?(_ other: Bytes, holding lease: ByteBudget.Lease) {
        self.init(reserving: other.count) { lease.shrink(to: 0) }
        // `append` checks the capacity.
        unsafe other.withUnsafeBytes { unsafe append(contentsOf: $0) }
        lease.shrink(to: other.count)
    }
}

extension GatewayError {
    /// A picture can't be used.
    static func badPicture(_ field: String, _ words: String) -> GatewayError {
        GatewayError(.badParameter, "\(field) \(words)", parameter: field)
    }

    /// Too many pictures are waiting for a worker.
    static let tooManyPictures = GatewayError(
        .noMemory, "The gateway is already processing as many pictures as it can. Send the request again later.")

    init(_ defect: PictureDefect, in field: String) {
        self = defect == .noMemory ? GatewayError(.noBudget) : .badPicture(field, defect.description)
    }

    fileprivate init(_ problem: FetchProblem, in field: String) {
        if case .noRoom(let error) = problem {
            self.init(error)
        } else {
            self = .badPicture(field, problem.words)
        }
    }
}
