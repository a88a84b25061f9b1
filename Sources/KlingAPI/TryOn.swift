/// The names and bounds of the virtual try-on interface.
public enum TryOn {
    /// The path of create and list; a task lies one segment below.
    public static let path = "/v1/images/kolors-virtual-try-on"

    /// The most bytes that a picture may have, decoded.
    public static let maxPictureBytes = 10_485_760
    /// The least width and height of a picture, in pixels.
    public static let minPictureSide = 300
    /// The most bytes of an `external_task_id`.
    public static let maxExternalTaskIDBytes = 256
    /// The most bytes of a `callback_url`.
    public static let maxCallbackURLBytes = 2048

    /// Page numbers that a list takes.
    public static let pageNumbers = 1...1000
    /// Page sizes that a list takes.
    public static let pageSizes = 1...500
    /// The page size of a list that names none.
    public static let defaultPageSize = 30
}

/// The models that a create may name.
public struct TryOnModels: Sendable, Hashable {
    /// The model of a create that names none.
    public static let defaultModel = "kolors-virtual-try-on-v1"

    /// The newest model of the kolors dialect.
    public static let newestModel = "kolors-virtual-try-on-v1-5"

    /// The models that Kling documents, and ``Solutions/model``.
    public static let documented = TryOnModels(adding: [])

    /// Every model, the default first.
    public let names: [String]

    /// The documented models and `others`.
    public init(adding others: [String]) {
        let documented = [Self.defaultModel, Self.newestModel, Solutions.model]
        names = documented + others.filter { !documented.contains($0) }
    }

    /// The name by which the kolors dialect knows a model: it has none for that of the solutions, and takes the newest.
    static func kolorsName(of model: String) -> String { model == Solutions.model ? newestModel : model }

    /// Whether `name` is one of them.
    public func contains(_ name: String) -> Bool { names.contains(name) }

    /// The model whose name is `bytes`, without making a string.
    func name(equalTo bytes: Span<UInt8>) -> String? {
        names.first { bytes.equals($0) }
    }
}
