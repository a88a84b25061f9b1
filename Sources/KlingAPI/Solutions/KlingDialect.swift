/// The two shapes in which Kling's virtual try-on is asked for.
public enum KlingDialect: String, Sendable, CaseIterable {
    /// `POST /v1/images/kolors-virtual-try-on`. Inside, the gateway knows tasks in this shape alone.
    case kolors
    /// `POST /solutions/virtual_try_on`, whose tasks are read and listed at `/solutions`.
    case solutions
}

/// The names and bounds of the virtual try-on among Kling's solutions (Kling, virtual-try-on page).
public enum Solutions {
    /// The path of a create.
    public static let createPath = "/solutions/virtual_try_on"
    /// The path of a query (GET) and of a list (POST).
    public static let path = "/solutions"
    /// What stands for the model here, where the path names it and the body does not.
    public static let model = "virtual_try_on"

    /// How many ids a query takes.
    public static let idsPerQuery = 1...20
    /// How many tasks a page of a list may have.
    public static let limits = 1...500
    /// The limit of a list that names none.
    public static let defaultLimit = 500
    /// How far back a list goes that names no time, in milliseconds.
    public static let defaultPeriod = 30 * 24 * 60 * 60 * 1000
    /// The most bytes of a body. Pictures come as URLs, so that more is no picture but a mistake.
    public static let maxBodyBytes = 64 << 10
}

extension PictureField {
    /// The `type` of the picture among `contents`.
    public var contentType: String {
        switch self {
        case .human: "person_image"
        case .cloth: "product_image"
        }
    }
}
