internal import Base
internal import TaskStore

/// The spool's folder. `ID.json` has a body followed by its seal; while it is being written, its name is `ID.part`.
struct SpoolFolder: Sendable {
    private static let suffix = ".json"
    private static let draftSuffix = ".part"

    private let folder: DurableFolder

    /// Opens the folder, and creates it if it doesn't exist.
    init(_ path: String) throws(SpoolError) {
        folder = try DurableFolder(
            path, purpose: "spool", advice: "Set `spool` to a folder that the gateway may make, or set `queue: off`.",
            inUseAdvice: "Set `spool` to a folder of its own for each gateway.")
    }

    /// Writes a body. When it returns, the complete file is on disk under its name.
    func write(_ id: TaskID, _ body: [ByteSlice]) throws(SpoolError) {
        let seal = Bytes(SpoolSeal(body).bytes)
        let file = Self.file(of: id)
        try folder.write(file.name, body + [ByteSlice(seal, 0..<seal.count)], draft: file.draft)
    }

    /// Reads a body into the block that is returned, and verifies that it is what was written.
    /// - Parameters:
    ///   - length: how many bytes it has.
    ///   - holding: released together with the block.
    func read(_ id: TaskID, length: Int, holding: (any Sendable)? = nil) throws(SpoolError) -> ByteSlice {
        let name = Self.file(of: id).name
        let file = try folder.read(name, holding: holding)
        return try SpoolSeal.body(in: file, expecting: length, name: "\(folder.path)/\(name)")
    }

    /// Removes a body, if it exists.
    func remove(_ id: TaskID) throws(SpoolError) { try folder.remove(Self.file(of: id).name) }

    /// The tasks that have a body, oldest first.
    func list() throws(SpoolError) -> [TaskID] {
        try folder.names().compactMap(Self.task(ofFile:)).sorted()
    }

    /// Removes the half-written files that a crash has left.
    func removeDrafts() throws(SpoolError) -> Int {
        let drafts = try folder.names().filter { Self.id($0, Self.draftSuffix) != nil }
        for name in drafts { try folder.remove(name) }
        return drafts.count
    }

    /// The names of a body's file and of its draft.
    static func file(of id: TaskID) -> (name: String, draft: String) { ("\(id)\(suffix)", "\(id)\(draftSuffix)") }

    /// The task whose body is in the file; nil if that is something else.
    static func task(ofFile name: String) -> TaskID? { id(name, suffix) }

    private static func id(_ name: String, _ suffix: String) -> TaskID? {
        name.hasSuffix(suffix) ? TaskID(String(name.dropLast(suffix.count))) : nil
    }
}
