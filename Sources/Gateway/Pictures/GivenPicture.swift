public import Base

/// A picture as a client has given it.
public struct GivenPicture: Sendable {
    /// How it came.
    public enum Content: Sendable {
        /// An `http` or `https` URL: the gateway fetches it.
        case url(String)
        /// The file itself: a part of a form, or an asset.
        case file(ByteSlice)
        /// Base64, with or without `data:...;base64,` before it and with JSON's escapes in it, without quotes. The text
        /// itself is left as it is.
        case base64(ByteSlice)
    }

    /// What the client calls it: errors name it.
    public let field: String
    public let content: Content

    /// Names a picture.
    public init(_ field: String, _ content: Content) {
        self.field = field
        self.content = content
    }
}
