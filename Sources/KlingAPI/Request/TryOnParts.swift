public import Base

/// The parts of a create in any form, to be written as the JSON that Kling accepts and checked like any other create.
public struct TryOnParts: Sendable {
    /// A picture, in one of the forms that clients send.
    public enum Picture: Sendable {
        /// An `http` or `https` URL, which is passed on as it is.
        case url(String)
        /// The file itself.
        case file(ByteSlice)
        /// Base64, with or without a `data:...;base64,` prefix, either raw or as the content of a JSON string; or a
        /// URL.
        case base64(ByteSlice)
    }

    /// The model's name; an unknown one is an error.
    public var model: String
    public var human: Picture
    public var cloth: Picture
    /// The client's own id for the task.
    public var externalTaskID: String?
    /// The URL for callbacks about the task's status.
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

    /// The most memory that the JSON takes besides the parts, in percent of their size.
    public static let growthPercent = 140

    /// Writes the create as JSON, and checks it as ``TryOnRequest/parse(_:models:)`` does.
    ///
    /// Files are encoded as base64 in slices, so that other tasks of the executor can run in between.
    /// - Parameter owner: kept alive until the request's body is released; for example, a memory reservation.
    /// - Throws: what is wrong, with the names of Kling's members.
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
    /// The maximum size of its text, in bytes.
    fileprivate var room: Int {
        switch self {
        case .url(let text): JSONString.json(text).count
        case .file(let file): (file.count + 2) / 3 * 4
        case .base64(let text): text.count
        }
    }

    /// Appends its text to `body`, without quotes.
    func write(to body: Bytes, _ field: PictureField) async throws(ParameterError) {
        switch self {
        case .url(let text): body.append(JSONString.json(text).dropFirst().dropLast())
        case .file(let file):
            for slice in file.slices(of: Self.sliceSize) {
                if slice.lowerBound > file.range.lowerBound { await Task.yield() }
                Base64.append(ByteSlice(file.bytes, slice), to: body)
            }
        case .base64(let text):
            let content = text.bytes.withByteSpan { PictureWrapping.withoutQuotes($0, text.range) }
            for slice in ByteSlice(text.bytes, content).slices(of: Self.sliceSize) {
                if slice.lowerBound > text.range.lowerBound { await Task.yield() }
                guard Self.append(ByteSlice(text.bytes, slice), to: body) else {
                    throw .value(field.rawValue, "is neither an http(s) URL nor base64.")
                }
            }
        }
    }

    /// How many bytes to write before yielding to other tasks: a whole number of base64 groups.
    private static let sliceSize = 3 << 18

    /// Copies a text into a JSON string; false if that is not possible.
    ///
    /// Line breaks and tabs, which a form may contain where JSON has escapes, are dropped with the spaces around them.
    /// Quotes, other control characters and non-ASCII bytes are refused.
    private static func append(_ text: ByteSlice, to body: Bytes) -> Bool {
        var position = text.range.lowerBound
        while position < text.range.upperBound {
            let rest = position..<text.range.upperBound
            let (end, next, resume) = text.bytes.withByteSpan { bytes in
                let end = JSONText.endOfPlainRun(bytes, rest)
                guard end < rest.upperBound, isBreak(bytes[end]) else {
                    return (end, end < rest.upperBound ? bytes[end] : nil as UInt8?, end + 1)
                }
                let last = (rest.lowerBound..<end).last { bytes[$0] != 0x20 }.map { $0 + 1 } ?? rest.lowerBound
                let resume = (end..<rest.upperBound).first { bytes[$0] != 0x20 && !isBreak(bytes[$0]) }
                return (last, bytes[end], resume ?? rest.upperBound)
            }
            body.append(ByteSlice(text.bytes, position..<end))
            if next == JSONText.backslash {
                body.append(CollectionOfOne(JSONText.backslash))
            } else if let next, !isBreak(next) {
                return false
            }
            position = resume
        }
        return true
    }

    private static func isBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D || byte == 0x09 }
}

extension ByteSlice {
    /// The range of the block, split into pieces of `size` bytes.
    fileprivate func slices(of size: Int) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: size).map { $0..<min($0 + size, range.upperBound) }
    }
}

extension Bytes {
    /// Appends a copy of `slice`, which must fit. Only for the owner, before the block is shared.
    func append(_ slice: ByteSlice) {
        // `append` checks that the bytes fit, and the slice is in another block.
        unsafe slice.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// Appends a copy of `bytes`, which must fit. Only for the owner, before the block is shared.
    func append(_ bytes: some Collection<UInt8>) {
        let copy = Array(bytes)
        // `append` checks that the bytes fit.
        unsafe copy.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    fileprivate func append(_ text: String) { append(text.utf8) }
}
