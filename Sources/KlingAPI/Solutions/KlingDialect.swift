/// The two shapes of Kling's virtual try-on API.
public enum KlingDialect: String, Sendable, CaseIterable {
    /// `POST /v1/images/kolors-virtual-try-on`. Internally, the gateway keeps tasks only in this shape.
    case kolors
    /// `POST /solutions/virtual_try_on`, whose tasks are read and listed at `/solutions`.
    case solutions
}

/// The paths and limits of virtual try-on in Kling's solutions API (Kling, virtual-try-on page).
public enum Solutions {
    /// The path of a create.
    public static let createPath = "/solutions/virtual_try_on"
    /// The path of a query (GET) and of a list (POST).
    public static let path = "/solutions"
    /// The model name in this dialect, which names the model in the path and not in the body.
    public static let model = "virtual_try_on"

    /// How many ids a query accepts.
    public static let idsPerQuery = 1...20
    /// The page sizes that a list accepts as its limit.
    public static let limits = 1...500
    /// The limit of a list that does not specify one.
    public static let defaultLimit = 500
    /// How far back a list goes if it does not specify a start time, in milliseconds.
    public static let defaultPeriod = 30 * 24 * 60 * 60 * 1000
    /// The maximum size of a body in bytes. Pictures are sent as URLs, so a larger body is a mistake.
    public static let maxBodyBytes = 64 << 10
}

extension PictureField {
    /// The `type` of the picture in `contents`.
    public var contentType: String {
        switch self {
        case .human: "person_image"
        case .cloth: "product_image"
        }
    }
}
