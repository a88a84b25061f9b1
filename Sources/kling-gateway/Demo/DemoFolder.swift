internal import ArgumentParser
internal import Foundation

/// Where the demo keeps its files.
struct DemoFolder: Sendable {
    private let url: URL

    /// Uses `path`, which is created if missing, or else a new temporary folder.
    /// - Throws: `ExitCode`, after it has said why the folder cannot be written to.
    init(_ path: String?) throws {
        if let path {
            url = URL(filePath: path, directoryHint: .isDirectory)
        } else {
            url = FileManager.default.temporaryDirectory
                .appending(path: "kling-gateway-demo-\(ProcessInfo.processInfo.processIdentifier)")
        }
        let folder = url.path(percentEncoded: false)
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw Self.cannotWrite(to: folder)
        }
        guard FileManager.default.isWritableFile(atPath: folder) else { throw Self.cannotWrite(to: folder) }
    }

    private static func cannotWrite(to folder: String) -> ExitCode {
        fail("the demo cannot write to \(folder): give it another folder with --folder, or set TMPDIR")
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
