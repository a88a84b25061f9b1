internal import Foundation

/// Where the demo keeps its files.
struct DemoFolder: Sendable {
    private let url: URL

    /// Uses `path`, which is created if missing, or else a new temporary folder.
    init(_ path: String?) throws {
        if let path {
            url = URL(filePath: path, directoryHint: .isDirectory)
        } else {
            url = FileManager.default.temporaryDirectory
                .appending(path: "kling-gateway-demo-\(ProcessInfo.processInfo.processIdentifier)")
        }
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// The path of a file in the folder.
    func path(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }
}
