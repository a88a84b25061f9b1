public import Base

/// Where tasks and keys are kept.
public enum StoreLocation: Sendable, Hashable, CustomStringConvertible {
    /// An SQLite file.
    case sqlite(path: String)
    /// A PostgreSQL database, by its URL, which may have a password. What belongs to one process alone is in `folder`.
    case postgres(url: Secret, folder: String)

    /// Reads `sqlite:PATH`, or a URL of PostgreSQL; nil for any other text.
    public init?(_ text: String) {
        guard !text.utf8.contains(0) else { return nil }
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            self = .postgres(url: Secret(text), folder: "")
        } else if text.hasPrefix("sqlite:"), text.utf8.count > 7 {
            self = .sqlite(path: String(text.dropFirst(7)))
        } else {
            return nil
        }
    }

    /// The folder of the master key, unless that is set, and of what is not in the database.
    public var directory: String {
        switch self {
        case .sqlite(let path): FilePath.parent(of: path)
        case .postgres(_, let folder): folder
        }
    }

    /// The store as people see it: without a password.
    public var description: String {
        switch self {
        case .sqlite(let path): path
        case .postgres(let url, _): Self.withoutPassword(url.reveal())
        }
    }

    /// The default folder of the spool. A gateway removes from its spool what its store doesn't know.
    var spool: String { beside("spool") }

    /// The folder of uploaded pictures.
    public var assets: String { beside("assets") }

    /// The folder of pictures that Kling gets as links.
    public var pictures: String { beside("pictures") }

    /// The file for ids that clients were told while the store could not be written to.
    public var unsavedPublicIDs: String { beside("told") }

    /// A file or folder beside `gateway.db`. A store with another name gets files named after it.
    private func beside(_ name: String) -> String {
        switch self {
        case .sqlite(let path): path == "\(directory)/gateway.db" ? "\(directory)/\(name)" : "\(path).\(name)"
        case .postgres(_, let folder): "\(folder)/\(name)"
        }
    }

    /// A URL without the password before its host and the one among its parameters.
    private static func withoutPassword(_ url: String) -> String {
        var text = url
        if let start = text.firstRange(of: "://")?.upperBound {
            let authority = text[start...].prefix { $0 != "/" && $0 != "?" }
            if let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") {
                text.removeSubrange(colon..<at)
            }
        }
        guard let mark = text.firstIndex(of: "?") else { return text }
        let parameters = text[text.index(after: mark)...].split(separator: "&")
        let shown = parameters.filter { !$0.lowercased().contains("password") }
        return text[..<mark] + (shown.isEmpty ? "" : "?" + shown.joined(separator: "&"))
    }
}
