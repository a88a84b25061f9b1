internal import KlingAPI

/// A path at which nothing is served.
struct UnknownPath {
    private let segments: [Substring]

    /// - Parameter path: the raw path of a request.
    init(_ path: Span<UInt8>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(path.count)
        for index in path.indices { bytes.append(path[index]) }
        segments = String(decoding: bytes, as: UTF8.self).split(separator: "/")
    }

    /// Whether it is among the paths of an API. There the key is checked first, so that a client that checks its key
    /// by such a path is not told that a wrong one is valid.
    var needsKey: Bool {
        guard let first = segments.first else { return false }
        return segments.count > 1 && ["v1", "kling", "images", "solutions"].contains(first)
            || segments.starts(with: ["proxy", "kling"])
    }

    /// The error that names the path to use.
    var error: GatewayError { isOpenAI ? .unknownOpenAIPath : .unknownPath }

    /// Whether it is one of OpenAI's paths, with or without ``prefixes``.
    private var isOpenAI: Bool {
        let path = segments.drop { Self.prefixes.contains($0) }
        guard let first = path.first else { return false }
        if first == "images" { return path.count > 1 && Self.images.contains(path[path.startIndex + 1]) }
        return Self.resources.contains(first)
    }

    private static let prefixes: Set<Substring> = ["v1", "kling", "proxy"]
    private static let images: Set<Substring> = ["generations", "variations", "edits"]
    private static let resources: Set<Substring> = [
        "assistants", "audio", "batches", "chat", "completions", "embeddings", "files", "fine_tuning", "models",
        "moderations", "realtime", "responses", "threads", "uploads", "vector_stores", "videos",
    ]
}

extension GatewayError {
    /// Nothing is served at the path.
    static let unknownPath = GatewayError(
        .unknownPath, "There is nothing at this path. Try-on is at \(Solutions.createPath) and \(TryOn.path).")

    /// Nothing is served at this path of OpenAI's.
    static let unknownOpenAIPath = GatewayError(
        .unknownPath,
        "There is nothing at this path. With an OpenAI client, use images.edit (POST /v1/images/edits) with "
            + "image=[person, garment] for a try-on. Its base_url must end in /v1.")
}
