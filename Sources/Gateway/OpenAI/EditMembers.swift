internal import Base
internal import KlingAPI

/// The members of an image edit that the gateway knows, whether it came as JSON or as a form. `prompt`, `size` and all
/// others are accepted and ignored.
struct EditMembers: Sendable {
    /// A member's name, as OpenAI's clients write it or, for the last ones, as Kling's do.
    enum Name: String, Sendable {
        case image, images
        case model, n, user, stream
        case responseFormat = "response_format"
        case externalTaskID = "external_task_id"
        case callbackURL = "callback_url"
        case keepFace = "keep_face"
        case keepPose = "keep_pose"
        case keepBackground = "keep_background"
        case watermark

        var isPicture: Bool { self == .image || self == .images }
        var isFlag: Bool { [.stream, .keepFace, .keepPose, .keepBackground, .watermark].contains(self) }
    }

    /// A picture, and the member that it came in.
    struct Picture: Sendable {
        let name: Name
        let content: GivenPicture.Content
    }

    /// The maximum number of pictures: a person and two garments.
    static let mostPictures = 3

    private var texts: [Name: String] = [:]
    private(set) var pictures: [Picture] = []

    subscript(name: Name) -> String? { texts[name] }

    /// Kling's settings.
    var settings: TryOnSettings {
        get throws(GatewayError) {
            TryOnSettings(
                keepFace: try flag(.keepFace) ?? true, keepPose: try flag(.keepPose) ?? true,
                keepBackground: try flag(.keepBackground) ?? true, watermark: try flag(.watermark) ?? false)
        }
    }

    /// A Boolean; nil if it is missing.
    func flag(_ name: Name) throws(GatewayError) -> Bool? {
        guard let text = texts[name] else { return nil }
        guard let flag = Bool(text) else { throw GatewayError(name, "must be true or false.") }
        return flag
    }

    /// Adds a text or number. An empty one counts as missing.
    private mutating func add(_ name: Name, text: String) throws(GatewayError) {
        if text.isEmpty { return }
        guard texts.updateValue(text, forKey: name) == nil else {
            throw GatewayError(name, "appears in the request more than once. Send it once.")
        }
    }

    private mutating func add(_ name: Name, picture: GivenPicture.Content) throws(GatewayError) {
        guard pictures.allSatisfy({ $0.name == name }) else {
            throw GatewayError(name, "cannot be combined with \(pictures[0].name.rawValue). Use only one of the names.")
        }
        guard pictures.count < Self.mostPictures else { throw .tooManyPictures(name) }
        pictures.append(Picture(name: name, content: picture))
    }
}

// MARK: - Forms

extension EditMembers {
    /// Reads the parts of a form. `image`, `image[]` and `image[0]` are pictures in the order of their parts.
    init(form: FormData) throws(GatewayError) {
        for part in form.parts {
            guard let name = Self.name(of: part.name) else { continue }
            if name.isPicture {
                // A browser sends an input that was left empty as an empty part.
                if part.isFile || part.content.count > 0 { try add(name, picture: Self.picture(part)) }
            } else if part.isFile || part.content.count > Self.longestText {
                throw GatewayError(name, "is a file, or too long. Send a short text.")
            } else {
                let text = try Self.text(part)
                // What JavaScript puts into a form for a variable without a value.
                if text != "undefined", text != "null" { try add(name, text: text) }
            }
        }
    }

    /// The maximum length of a text that is decoded, in bytes.
    private static let longestText = 16 << 10

    /// The member that a part belongs to. Only the names of pictures may have brackets.
    private static func name(of part: String) -> Name? {
        guard let bracket = part.firstIndex(of: "["), part.hasSuffix("]") else { return Name(rawValue: part) }
        return Name(rawValue: String(part[..<bracket])).flatMap { $0.isPicture ? $0 : nil }
    }

    private static func text(_ part: FormData.Part) throws(GatewayError) -> String {
        do {
            return try part.text()
        } catch {
            throw GatewayError(error)
        }
    }

    private static func picture(_ part: FormData.Part) -> GivenPicture.Content {
        if part.isFile { return .file(part.content) }
        let text = part.content.count > longestText ? nil : try? part.text()
        return text.flatMap { GivenPicture.Content(url: $0) } ?? .base64(part.content)
    }
}

extension GivenPicture.Content {
    /// A text that is an `http` or `https` URL, as Kling is sent it; nil for any other text.
    init?(url text: String) {
        guard let link = PictureLink.cleaned(text) else { return nil }
        self = .url(link)
    }
}

// MARK: - JSON

extension EditMembers {
    private static let slice = 64 << 10

    /// Parses a JSON object. A large one is parsed in slices, between which other tasks of the loop run. A picture is a
    /// string, or an object with an `image_url`, a `url` or a `b64_json`; several pictures are an array.
    init(json body: Bytes) async throws(GatewayError) {
        let object = try await Self.scanned(body, 0..<body.count)
        guard object.kind == .object else {
            throw GatewayError(.malformedBody, "The body is \(object.kind?.words ?? "nothing"); send a JSON object.")
        }
        for member in object.members where !member.isNullOrEmpty {
            let name = body.withByteSpan { JSONString.text($0, member.name) }
            guard let name = Name(rawValue: name) else { continue }
            guard !member.hasLoneSurrogate else {
                throw GatewayError(name, ParameterError.loneSurrogate)
            }
            if !name.isPicture {
                try add(name, text: try Self.text(member, name, body))
            } else if member.kind == .array {
                let list = try await Self.scanned(body, member.value, elements: Self.mostPictures)
                guard list.members.count <= Self.mostPictures else { throw .tooManyPictures(name) }
                for element in list.members { try add(name, picture: try await Self.picture(element, name, body)) }
            } else {
                try add(name, picture: try await Self.picture(member, name, body))
            }
        }
    }

    /// - Parameter elements: how many elements of an array to expect; nil for an object. Scanning stops when there are
    ///   more.
    private static func scanned(
        _ body: Bytes, _ range: Range<Int>, elements: Int? = nil
    ) async throws(GatewayError) -> JSONScanner {
        var scanner = JSONScanner(range: range, keepsElements: elements != nil)
        var limit = range.lowerBound + slice
        while try !advance(&scanner, body, upTo: limit), scanner.members.count <= elements ?? .max {
            await Task.yield()
            limit += slice
        }
        return scanner
    }

    private static func advance(
        _ scanner: inout JSONScanner, _ body: Bytes, upTo limit: Int
    ) throws(GatewayError) -> Bool {
        do {
            return try body.withByteSpan { (bytes) throws(JSONError) in try scanner.scan(bytes, upTo: limit) }
        } catch {
            throw GatewayError(.malformedBody, "The body is not valid JSON \(error).")
        }
    }

    private static func text(_ member: JSONMember, _ name: Name, _ body: Bytes) throws(GatewayError) -> String {
        let range: Range<Int>
        switch (member.kind, name) {
        case (.string, _) where member.content.count <= longestText: range = member.content
        case (.string, _): throw GatewayError(name, "is too long. Send a short text.")
        case (.number, .n): range = member.value
        case (.bool, _) where name.isFlag: range = member.value
        default:
            throw .wrongType(name, name == .n ? "a number" : name.isFlag ? "true or false" : "a string", member.kind)
        }
        return body.withByteSpan { JSONString.text($0, range) }
    }

    private static func picture(
        _ value: JSONMember, _ name: Name, _ body: Bytes
    ) async throws(GatewayError) -> GivenPicture.Content {
        guard value.kind == .object else { return try text(value, name, body) }
        let object = try await scanned(body, value.value)
        guard let url = ["image_url", "url", "b64_json"].lazy.compactMap({ named($0, object, body) }).first else {
            throw GatewayError(name, "is an object without image_url, url or b64_json. Send a URL or base64.")
        }
        guard url.kind == .object else { return try text(url, name, body) }
        let inner = try await scanned(body, url.value)
        guard let url = named("url", inner, body) else {
            throw GatewayError(name, "is an object without a URL. Send a URL, or a data URL.")
        }
        return try text(url, name, body)
    }

    private static func named(_ name: String, _ object: JSONScanner, _ body: Bytes) -> JSONMember? {
        object.members.first { member in
            !member.isNullOrEmpty && body.withByteSpan { JSONString.text($0, member.name) } == name
        }
    }

    private static func text(
        _ value: JSONMember, _ name: Name, _ body: Bytes
    ) throws(GatewayError) -> GivenPicture.Content {
        guard value.kind == .string else {
            throw .wrongType(name, "a URL, a data URL, or an object with image_url", value.kind)
        }
        let text =
            value.content.count > longestText ? nil : body.withByteSpan { JSONString.text($0, value.content) }
        return text.flatMap { GivenPicture.Content(url: $0) } ?? .base64(ByteSlice(body, value.content))
    }
}

extension GatewayError {
    /// An error about a member. The message is its name followed by the problem.
    init(_ name: EditMembers.Name, _ problem: String) {
        self.init(.badParameter, "\(name.rawValue) \(problem)", parameter: name.rawValue)
    }

    fileprivate static func wrongType(
        _ name: EditMembers.Name, _ expected: String, _ found: JSONKind
    ) -> GatewayError {
        GatewayError(
            .malformedBody, "\(name.rawValue) is \(found.words); send \(expected).", parameter: name.rawValue)
    }

    fileprivate static func tooManyPictures(_ name: EditMembers.Name) -> GatewayError {
        GatewayError(
            name, "has too many pictures. Send the person first, then one garment, or an upper and a lower one.")
    }
}
