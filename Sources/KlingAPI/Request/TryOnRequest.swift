public import Base

/// A picture in a request.
public enum TryOnPicture: Sendable, Hashable {
    /// An `http` or `https` URL, as ``PictureLink`` writes it.
    case url
    /// A file in base64, with its header and its size in bytes before encoding.
    case base64(ImageHeader, bytes: Int)
}

/// The members of a request that hold its two pictures.
public enum PictureField: String, Sendable, CaseIterable {
    case human = "human_image"
    case cloth = "cloth_image"
}

/// A validated create. Its body can be sent to Kling with some of the client's values replaced by the gateway's.
public final class TryOnRequest: Sendable {
    /// The model, which is one of the allowed models.
    public let model: String
    /// The client's own id for the task.
    public let externalTaskID: String?
    /// The URL for callbacks about the task's status.
    public let callbackURL: HTTPURL?
    /// The settings, which only the solutions dialect supports.
    public let settings: TryOnSettings
    /// The picture of the person.
    public let human: TryOnPicture
    /// The picture of the garment.
    public let cloth: TryOnPicture

    let body: Bytes
    let scan: JSONScanner
    let indexes: MemberIndexes
    let humanText: PictureText?
    let clothText: PictureText?

    private init(
        _ body: Bytes, _ scan: JSONScanner, _ indexes: MemberIndexes, _ members: MemberReader.Values, human: Picture,
        cloth: Picture
    ) {
        (self.body, self.scan, self.indexes) = (body, scan, indexes)
        (model, externalTaskID) = (members.model, members.externalTaskID)
        (callbackURL, settings) = (members.callbackURL, members.settings)
        (self.human, humanText) = human
        (self.cloth, clothText) = cloth
    }

    /// A picture, and its base64 unless it is a URL.
    typealias Picture = (TryOnPicture, PictureText?)

    /// Returns the same create with another picture.
    func replacing(_ field: PictureField, with picture: Picture) -> TryOnRequest {
        TryOnRequest(
            body, scan, indexes, (model, externalTaskID, callbackURL, settings),
            human: field == .human ? picture : (human, humanText), cloth: field == .cloth ? picture : (cloth, clothText)
        )
    }

    /// Checks the body of a create.
    ///
    /// Base64 with escapes, whitespace, URL-safe letters or missing padding is repaired in place. After this call,
    /// `body` must therefore be read only through the returned request. A body over 1 MiB is parsed in slices, so that
    /// other tasks of the executor can run in between; parsing a smaller one never suspends.
    /// - Parameters:
    ///   - body: the whole body, owned by the caller and not shared.
    ///   - models: the allowed models.
    public static func parse(
        _ body: Bytes, models: TryOnModels = .documented
    ) async throws(ParameterError) -> TryOnRequest {
        let scan = body.count <= PictureText.sliceSize ? try scanned(body) : try await scannedInSlices(body)
        let members = body.withByteSpan { MemberReader(scan.members, $0) }
        let values = try body.withByteSpan { (bytes) throws(ParameterError) in try members.values(bytes, models) }
        let person = try member(body, scan, members.indexes.human, .human)
        let human =
            if let link = try link(body, person, .human) { link } else { try await file(body, person, .human) }
        let garment = try member(body, scan, members.indexes.cloth, .cloth)
        let cloth =
            if let link = try link(body, garment, .cloth) { link } else { try await file(body, garment, .cloth) }
        return TryOnRequest(body, scan, members.indexes, values, human: human, cloth: cloth)
    }

    /// The same for a short body whose pictures are links, as most creates have; nil for any other body.
    public static func parsedAtOnce(
        _ body: Bytes, models: TryOnModels = .documented
    ) throws(ParameterError) -> TryOnRequest? {
        // Short enough to be scanned twice, if a picture is a file.
        if body.count > 8 << 10 { return nil }
        let scan = try scanned(body)
        let members = body.withByteSpan { MemberReader(scan.members, $0) }
        let values = try body.withByteSpan { (bytes) throws(ParameterError) in try members.values(bytes, models) }
        guard let human = try link(body, try member(body, scan, members.indexes.human, .human), .human),
            let cloth = try link(body, try member(body, scan, members.indexes.cloth, .cloth), .cloth)
        else { return nil }
        return TryOnRequest(body, scan, members.indexes, values, human: human, cloth: cloth)
    }

    /// The URL of a picture; `nil` if the picture is base64.
    public func pictureURL(_ field: PictureField) -> String? {
        guard (field == .human ? human : cloth) == .url, let index = indexes.index(of: field) else { return nil }
        if let link = (field == .human ? humanText : clothText)?.link { return link }
        return body.withByteSpan { JSONString.text($0, scan.members[index].content) }
    }

    private static func scanned(_ body: Bytes) throws(ParameterError) -> JSONScanner {
        var scanner = JSONScanner(range: 0..<body.count)
        _ = try advance(&scanner, body, upTo: body.count)
        try check(scanner)
        return scanner
    }

    private static func scannedInSlices(_ body: Bytes) async throws(ParameterError) -> JSONScanner {
        var scanner = JSONScanner(range: 0..<body.count)
        var limit = 0
        repeat {
            if limit > 0 { await Task.yield() }
            limit += PictureText.sliceSize
        } while try !advance(&scanner, body, upTo: limit)
        try check(scanner)
        return scanner
    }

    private static func check(_ scanner: borrowing JSONScanner) throws(ParameterError) {
        if scanner.kind == .object { return }
        let found = scanner.kind?.words ?? "nothing"
        throw ParameterError(
            code: .invalidRequest, parameter: nil, message: "The body is \(found); send a JSON object.")
    }

    private static func advance(
        _ scanner: inout JSONScanner, _ body: Bytes, upTo limit: Int
    ) throws(ParameterError) -> Bool {
        do {
            return try body.withByteSpan { (bytes) throws(JSONError) in try scanner.scan(bytes, upTo: limit) }
        } catch {
            throw .syntax(error)
        }
    }

    /// The member that holds a picture.
    private static func member(
        _ body: Bytes, _ scan: JSONScanner, _ index: Int?, _ field: PictureField
    ) throws(ParameterError) -> JSONMember {
        guard let index, !scan.members[index].isNullOrEmpty else {
            let names = MisnamedMembers.names(for: field)
            let near = body.withByteSpan { MisnamedMembers.found(names, among: scan.members, $0) }
            if let near { throw .value(field.rawValue, "is missing. Rename \(near) to \(field.rawValue).") }
            throw .value(field.rawValue, "is missing. Send an http(s) URL, or a JPEG, PNG or WebP picture as base64.")
        }
        let member = scan.members[index]
        guard member.kind == .string else {
            throw .wrongType(field.rawValue, expected: "a string: an http(s) URL, or base64", found: member.kind)
        }
        guard !member.hasLoneSurrogate else { throw .value(field.rawValue, ParameterError.loneSurrogate) }
        return member
    }

    private static func link(
        _ body: Bytes, _ member: JSONMember, _ field: PictureField
    ) throws(ParameterError) -> Picture? {
        try body.withByteSpan { (bytes) throws(ParameterError) in try link(bytes, member, field) }
    }

    /// The picture in a member that is not a link.
    private static func file(
        _ body: Bytes, _ member: JSONMember, _ field: PictureField
    ) async throws(ParameterError) -> Picture {
        let text: PictureText
        do {
            text = try await PictureText.read(
                body, member.content, hasEscapes: member.valueHasEscapes, lettersEnd: member.lettersEnd)
        } catch {
            throw .value(field.rawValue, error.description)
        }
        do {
            let header = try body.withByteSpan { (bytes) throws(ImageHeader.Problem) in
                try ImageHeader.check(text.file, bytes)
            }
            return (.base64(header, bytes: text.file.count), text)
        } catch {
            throw .value(field.rawValue, error.description)
        }
    }

    /// The picture if it is an `http(s)` URL, with a text if the client's has to be replaced.
    private static func link(
        _ bytes: Span<UInt8>, _ member: JSONMember, _ field: PictureField
    ) throws(ParameterError) -> Picture? {
        if !member.valueHasEscapes, PictureLink.isClean(bytes, member.content) { return (.url, nil) }
        if let link = PictureLink.cleaned(bytes, member.content) {
            if let problem = LinkHost.problem(of: link) { throw .value(field.rawValue, problem) }
            return (.url, link == JSONString.text(bytes, member.content) ? nil : PictureText(link: link))
        }
        let isLong = ["https://", "http://"].contains { (scheme: StaticString) in
            JSONString.position(after: scheme, bytes, member.content) != nil
        }
        return isLong ? (.url, nil) : nil
    }
}
