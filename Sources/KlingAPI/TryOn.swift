/// The paths and limits of Kling's virtual try-on API.
public enum TryOn {
    /// The path for create and list; a task is one segment below it.
    public static let path = "/v1/images/kolors-virtual-try-on"

    /// The maximum size of a picture in bytes, after base64 decoding.
    public static let maxPictureBytes = 10_485_760
    /// The minimum width and height of a picture, in pixels.
    public static let minPictureSide = 300
    /// The maximum length of an `external_task_id`, in bytes.
    public static let maxExternalTaskIDBytes = 256
    /// The maximum length of a `callback_url`, in bytes.
    public static let maxCallbackURLBytes = 2048

    /// The page numbers that a list accepts.
    public static let pageNumbers = 1...1000
    /// The page sizes that a list accepts.
    public static let pageSizes = 1...500
    /// The page size of a list that does not specify one.
    public static let defaultPageSize = 30
}

/// The models that a create may name.
public struct TryOnModels: Sendable, Hashable {
    /// The model of a create that does not specify one.
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

    /// The kolors dialect's name for a model. It has none for the model of the solutions, and uses its newest instead.
    static func kolorsName(of model: String) -> String { model == Solutions.model ? newestModel : model }

    /// Whether `name` is one of these models.
    public func contains(_ name: String) -> Bool { names.contains(name) }

    /// A sentence with the model that a wrong name most likely means, after a blank; empty if there is none.
    public func suggestion(for name: String) -> String {
        func plain(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }
        let wanted = plain(name)
        guard wanted.count >= 5 else { return "" }
        let model = names.first { plain($0) == wanted } ?? names.last { plain($0).hasPrefix(wanted) }
        return model.map { " Did you mean \($0)?" } ?? ""
    }

    /// The model whose name is `bytes`, found without creating a string.
    func name(equalTo bytes: Span<UInt8>) -> String? {
        names.first { bytes.equals($0) }
    }
}
