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

    /// Every name that a create may use, the default first and stand-ins last.
    public let names: [String]

    /// The models that stand-ins stand for, by the stand-in's name.
    private let standIns: [String: String]

    /// The documented models and `others`.
    /// - Parameter standIns: other names for these models, each with the model that it stands for.
    public init(adding others: [String], standIns: [(name: String, model: String)] = []) {
        let documented = [Self.defaultModel, Self.newestModel, Solutions.model]
        let models = documented + others.filter { !documented.contains($0) }
        names = models + standIns.map(\.name)
        self.standIns = Dictionary(standIns.map { ($0.name, $0.model) }) { first, _ in first }
    }

    /// The kolors dialect's name for a model. It has none for the model of the solutions, and uses its newest instead.
    static func kolorsName(of model: String) -> String { model == Solutions.model ? newestModel : model }

    /// The model that `name` means; nil if it means none.
    public func model(named name: String) -> String? { names.contains(name) ? standIns[name] ?? name : nil }

    /// A sentence with the model that a wrong name most likely means, after a space; empty if there is none.
    public func suggestion(for name: String) -> String {
        func plain(_ name: String) -> String { name.lowercased().filter { $0.isLetter || $0.isNumber } }
        let wanted = plain(name)
        guard wanted.count >= 5 else { return "" }
        let model = names.first { plain($0) == wanted } ?? names.last { plain($0).hasPrefix(wanted) }
        return model.map { " Did you mean \($0)?" } ?? ""
    }

    /// The model that the name in `bytes` means, found without creating a string.
    func model(named bytes: Span<UInt8>) -> String? {
        names.first { bytes.equals($0) }.map { standIns[$0] ?? $0 }
    }
}
