import Base
import Foundation

/// A folder that is deleted with its owner.
public final class TemporaryFolder: Sendable {
    public let url: URL
    private let databaseTask = Lock<Task<TestDatabase, any Error>?>(nil)

    public init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "kling-gateway-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The path of a file in the folder.
    public func path(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url.appending(path: name))
        return path(name)
    }

    /// The URL of a PostgreSQL database that belongs to the folder. It is made at first use, on the shared server.
    public var database: String {
        get async throws {
            let task = databaseTask.withLock { known in
                let task = known ?? Task { try await TestDatabase(on: PostgresServer.shared) }
                known = task
                return task
            }
            return try await task.value.url
        }
    }
}
