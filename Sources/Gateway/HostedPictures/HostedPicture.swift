internal import Base
internal import TaskStore

/// A picture that the gateway serves to Kling for a task. Its file's name says all that is known of it.
struct HostedPicture: Sendable, Hashable {
    /// What stands before the name in its link.
    static let path = "/pictures/"

    /// What its link ends with: unguessable letters and the format's suffix. Who knows it can read the picture, so it is
    /// a secret: it stands in no log and in no error.
    let name: String
    let task: TaskID
    let bytes: Int
    /// When it was made by the believed time, in milliseconds since 1970.
    let madeAt: Int64

    /// A new one, with a name of its own.
    init(_ format: PictureFormat, of task: TaskID, bytes: Int, madeAt: Int64) {
        name = LinkName.random() + format.suffix
        self.task = task
        self.bytes = bytes
        self.madeAt = madeAt
    }

    /// What the picture is, by its name.
    var mediaType: String { PictureFormat(fileName: name)?.mediaType ?? "application/octet-stream" }

    /// Where it is served.
    /// - Parameter publicURL: what the gateway is reached by, without a slash at the end.
    func url(publicURL: String) -> String { publicURL + Self.path + name }

    /// A path of no route without the name that it may have: for the log.
    static func withheld(from path: String) -> String {
        path.firstRange(of: Self.path).map { path[..<$0.upperBound] + "…" } ?? path
    }

    // MARK: The file

    /// The name of the file; while it is written it has another end.
    var file: String { "\(task)-\(madeAt)-\(name)" }
    var draft: String { file + Self.draftSuffix }

    private static let draftSuffix = ".part"

    /// Whether a file has the name of one that was not written to its end.
    static func isDraft(_ file: String) -> Bool {
        file.hasSuffix(draftSuffix) && HostedPicture(file: String(file.dropLast(draftSuffix.count)), bytes: 0) != nil
    }

    /// Reads the name of a file; nil if it is no hosted picture's.
    init?(file: String, bytes: Int) {
        let parts = file.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let task = TaskID(String(parts[0])), let time = Int64(parts[1]),
            let suffix = LinkName.rest(of: parts[2]),
            PictureFormat.allCases.contains(where: { suffix == $0.suffix })
        else { return nil }
        name = String(parts[2])
        self.task = task
        self.bytes = bytes
        madeAt = time
        // Numbers and ids can be written in several ways: a file is named in one.
        guard self.file == file else { return nil }
    }
}
