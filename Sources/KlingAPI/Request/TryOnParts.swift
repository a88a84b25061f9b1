public import Base

/// What a create is made of, however it came: written down as the JSON that Kling takes, and checked as any other.
public struct TryOnParts: Sendable {
    /// A picture, however it came.
    public enum Picture: Sendable {
        /// An `http` or `https` URL, which is passed on as it is.
        case url(String)
        /// The file itself.
        case file(ByteSlice)
        /// Base64, with or without `data:...;base64,` before it, as it stands between the quotes of a JSON string or
        /// alone; or a URL.
        case base64(ByteSlice)
    }

    /// The model's name; one that is not known is an error.
    public var model: String
    public var human: Picture
    public var cloth: Picture
    /// The client's own id of the task.
    public var externalTaskID: String?
    /// Where the client wants to be told of the task's states.
    public var callbackURL: String?
    public var settings: TryOnSettings

    public init(
        model: String, human: Picture, cloth: Picture, externalTaskID: String? = nil, callbackURL: String? = nil,
        settings: TryOnSettings = TryOnSettings()
    ) {
        self.model = model
        self.human = human
        self.cloth = cloth
        self.externalTaskID = externalTaskID
        self.callbackURL = callbackURL
        self.settings = settings
    }

    /// How many bytes are needed at most beside those of the parts, for each hundred of theirs.
    public static let growthPercent = 140

    /// Writes the create down, and checks it as ``TryOnRequest/parse(_:models:)`` does.
    ///
    /// Files are turned into base64 in slices, between which other tasks of the executor run.
    /// - Parameter owner: kept until nobody needs the request any more: what has reserved the memory, say.
    /// - Throws: what is wrong, in the words of Kling's members.
    public func request(
        models: TryOnModels = .documented, keeping owner: (any Sendable)? = nil
    ) async throws(ParameterError) -> TryOnRequest {
        let head = [#"{"model_name":"#, json(model), id, callback, flags].joined()
        let middle = [#","human_image":""#, #"","cloth_image":""#, #""}"#]
        let room = head.utf8.count + middle.reduce(0) { $0 + $1.utf8.count } + human.room + cloth.room
        guard let body = Bytes(reserving: room, onRelease: { _ = owner }) else { throw .noMemory }
        body.append(head + middle[0])
        try await human.write(to: body, .human)
        body.append(middle[1])
        try await cloth.write(to: body, .cloth)
        body.append(middle[2])
        return try await TryOnRequest.parse(body, models: models)
    }

    private func json(_ text: String) -> String { String(decoding: JSONString.json(text), as: UTF8.self) }
    private var id: String { externalTaskID.map { #","external_task_id":"# + json($0) } ?? "" }
    private var flags: String { settings.nonDefault.map { #","\#($0.name)":\#($0.value)"# }.joined() }
    private var callback: String { callbackURL.map { #","callback_url":"# + json($0) } ?? "" }
}

extension TryOnParts.Picture {
    /// How many bytes its text takes at most.
    fileprivate var room: Int {
        switch self {
        case .url(let text): JSONString.json(text).count
        case .file(let file): (file.count + 2) / 3 * 4
        case .base64(let text): text.count
        }
    }

    /// Writes its text behind what stands in `body`, without quotes.
    func write(to body: Bytes, _ field: PictureField) async throws(ParameterError) {
        switch self {
        case .url(let text): body.append(JSONString.json(text).dropFirst().dropLast())
        case .file(let file):
            for slice in file.slices(of: Self.sliceSize) {
                if slice.lowerBound > file.range.lowerBound { await Task.yield() }
                Base64.append(ByteSlice(file.bytes, slice), to: body)
            }
        case .base64(let text):
            for slice in text.slices(of: Self.sliceSize) {
                if slice.lowerBound > text.range.lowerBound { await Task.yield() }
                guard Self.append(ByteSlice(text.bytes, slice), to: body) else {
                    throw .value(field.rawValue, "is neither an http(s) URL nor base64.")
                }
            }
        }
    }

    /// Bytes that are written between two chances for others to run: whole groups of base64.
    private static let sliceSize = 3 << 18

    /// Copies a text. Line breaks, which a form may have where JSON has escapes, become blanks; nothing else may be in
    /// it that cannot stand in a JSON string.
    private static func append(_ text: ByteSlice, to body: Bytes) -> Bool {
        var position = text.range.lowerBound
        while position < text.range.upperBound {
            let (end, next) = text.bytes.withByteSpan { bytes in
                let end = JSONText.endOfPlainRun(bytes, position..<text.range.upperBound)
                return (end, end < text.range.upperBound ? bytes[end] : 0)
            }
            body.append(ByteSlice(text.bytes, position..<end))
            if end == text.range.upperBound { break }
            switch next {
            case 0x0A, 0x0D, 0x09: body.append(CollectionOfOne(UInt8(ascii: " ")))
            case JSONText.backslash: body.append(CollectionOfOne(next))
            default: return false
            }
            position = end + 1
        }
        return true
    }
}

extension ByteSlice {
    /// The range of the block in pieces of `size` bytes.
    fileprivate func slices(of size: Int) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: size).map { $0..<min($0 + size, range.upperBound) }
    }
}

extension Bytes {
    /// Adds a copy of `slice`, which must fit. Only for the owner, before the block is shared.
    func append(_ slice: ByteSlice) {
        // `append` checks the room; the slice's block is another one.
        unsafe slice.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// Adds a copy of `bytes`, which must fit. Only for the owner, before the block is shared.
    func append(_ bytes: some Collection<UInt8>) {
        let copy = Array(bytes)
        // `append` checks the room.
        unsafe copy.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    fileprivate func append(_ text: String) { append(text.utf8) }
}
