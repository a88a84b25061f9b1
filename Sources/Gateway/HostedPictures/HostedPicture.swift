internal import Base
internal import TaskStore

/// A picture that the gateway serves to Kling for a task. The name of its file contains all that is known about it.
struct HostedPicture: Sendable, Hashable {
    /// What precedes the name in its link.
    static let path = "/pictures/"

    /// The end of its link: unguessable characters and the format's suffix. Anyone who knows it can read the picture,
    /// so it is a secret: it never appears in a log or an error.
    let name: String
    let task: TaskID
    let bytes: Int
    /// When it was made, by the believed time, in milliseconds since 1970.
    let madeAt: Int64

    /// Creates a picture with a new name.
    init(_ format: PictureFormat, of task: TaskID, bytes: Int, madeAt: Int64) {
        self.init(name: LinkName.random() + format.suffix, task: task, bytes: bytes, madeAt: madeAt)
    }

    init(name: String, task: TaskID, bytes: Int, madeAt: Int64) {
        self.name = name
        self.task = task
        self.bytes = bytes
        self.madeAt = madeAt
    }

    /// The media type of the picture, by its name.
    var mediaType: String { PictureFormat(fileName: name)?.mediaType ?? "application/octet-stream" }

    /// The URL at which it is served.
    /// - Parameter publicURL: the URL at which the gateway is reached, without a trailing slash.
    func url(publicURL: String) -> String { publicURL + Self.path + name }

    /// A path without a route, for the log: without the name of a picture that it may contain.
    static func withheld(from path: String) -> String {
        path.firstRange(of: Self.path).map { path[..<$0.upperBound] + "…" } ?? path
    }

    // MARK: The file

    /// The name of the file. While it is written, it is called ``draft``.
    var file: String { "\(task)-\(madeAt)-\(name)" }
    var draft: String { file + Self.draftSuffix }

    private static let draftSuffix = ".part"

    /// Whether a file has the name of a draft, which was not written completely.
    static func isDraft(_ file: String) -> Bool {
        file.hasSuffix(draftSuffix) && HostedPicture(file: String(file.dropLast(draftSuffix.count)), bytes: 0) != nil
    }

    /// Parses the name of a file; nil if it is not a hosted picture's.
    init?(file: String, bytes: Int) {
        let parts = file.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let task = TaskID(String(parts[0])), let time = Int64(parts[1]),
            PictureFormat.isLinkName(parts[2])
        else { return nil }
        self.init(name: String(parts[2]), task: task, bytes: bytes, madeAt: time)
        // Numbers and ids can be written in several ways, but a file is named in only one.
        guard self.file == file else { return nil }
    }
}
