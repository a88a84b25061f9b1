internal import Base
internal import TaskStore

/// The folder of the spool: a body lies in `ID.json`; while it is written it is `ID.part`.
struct SpoolFolder: Sendable {
    private static let suffix = ".json"
    private static let draftSuffix = ".part"

    private let folder: DurableFolder

    /// Opens the folder, and makes it if it isn't there.
    init(_ path: String) throws(SpoolError) {
        folder = try DurableFolder(
            path, purpose: "spool", advice: "Set `spool` to a folder that the gateway may make, or set `queue: off`.")
    }

    /// Writes a body; when it returns, the disk has it whole, under its name.
    func write(_ id: TaskID, _ body: [ByteSlice]) throws(SpoolError) {
        try folder.write("\(id)\(Self.suffix)", body, draft: "\(id)\(Self.draftSuffix)")
    }

    /// Reads a body, into the one block that it is held in.
    /// - Parameter holding: is let go of together with the block.
    func read(_ id: TaskID, holding: (any Sendable)? = nil) throws(SpoolError) -> Bytes {
        try folder.read("\(id)\(Self.suffix)", holding: holding)
    }

    /// Removes a body, if it is there.
    func remove(_ id: TaskID) throws(SpoolError) { try folder.remove("\(id)\(Self.suffix)") }

    /// The bodies that are there, by id, with their sizes.
    func list() throws(SpoolError) -> [(id: TaskID, bytes: Int)] {
        var bodies: [(id: TaskID, bytes: Int)] = []
        for name in try folder.names() {
            guard let id = Self.id(name, Self.suffix) else { continue }
            bodies.append((id, try folder.size(of: name)))
        }
        return bodies.sorted { $0.id < $1.id }
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
