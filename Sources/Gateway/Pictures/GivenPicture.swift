public import Base

/// A picture as a client has sent it.
public struct GivenPicture: Sendable {
    /// The form in which it was sent.
    public enum Content: Sendable {
        /// An `http` or `https` URL: the gateway fetches it.
        case url(String)
        /// The file itself: a part of a form, or an asset.
        case file(ByteSlice)
        /// Base64, with or without `data:...;base64,` before it. It may contain JSON's escapes, and has no quotes. The
        /// text itself is left unchanged.
        case base64(ByteSlice)
    }

    /// The client's name for it, which errors use.
    public let field: String
    public let content: Content

    /// Creates a picture.
    public init(_ field: String, _ content: Content) {
        self.field = field
        self.content = content
    }
}
