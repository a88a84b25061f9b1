internal import Base
internal import TaskStore

/// The folder of the spool: a body lies in `ID.json`, its seal behind it; while it is written it is `ID.part`.
struct SpoolFolder: Sendable {
    private static let suffix = ".json"
    private static let draftSuffix = ".part"

    private let folder: DurableFolder

    /// Opens the folder, and makes it if it isn't there.
    init(_ path: String) throws(SpoolError) {
        folder = try DurableFolder(
            path, purpose: "spool", advice: "Set `spool` to a folder that the gateway may make, or set `queue: off`.",
            apart: "Set `spool` to a folder of its own for each gateway.")
    }

    /// Writes a body; when it returns, the disk has it whole, under its name.
    func write(_ id: TaskID, _ body: [ByteSlice]) throws(SpoolError) {
        let seal = Bytes(SpoolSeal(body).bytes)
        try folder.write(
            "\(id)\(Self.suffix)", body + [ByteSlice(seal, 0..<seal.count)], draft: "\(id)\(Self.draftSuffix)")
    }

    /// Reads a body, into the one block that it is held in, and proves that it is what was written.
    /// - Parameters:
    ///   - length: how many bytes it has.
    ///   - holding: is let go of together with the block.
    func read(_ id: TaskID, length: Int, holding: (any Sendable)? = nil) throws(SpoolError) -> ByteSlice {
        let name = "\(id)\(Self.suffix)"
        let file = try folder.read(name, holding: holding)
        return try SpoolSeal.body(in: file, expecting: length, name: "\(folder.path)/\(name)")
    }

    /// Removes a body, if it is there.
    func remove(_ id: TaskID) throws(SpoolError) { try folder.remove("\(id)\(Self.suffix)") }

    /// The tasks whose bodies are there, oldest first.
    func list() throws(SpoolError) -> [TaskID] {
        try folder.names().compactMap { Self.id($0, Self.suffix) }.sorted()
    }

    /// Removes what a crash has left half written.
    func removeDrafts() throws(SpoolError) -> Int {
        let drafts = try folder.names().filter { Self.id($0, Self.draftSuffix) != nil }
        for name in drafts { try folder.remove(name) }
        return drafts.count
    }

    private static func id(_ name: String, _ suffix: String) -> TaskID? {
        name.hasSuffix(suffix) ? TaskID(String(name.dropLast(suffix.count))) : nil
    }
}
