internal import Foundation
internal import Gateway
internal import GatewayConfiguration

extension Configuration {
    /// Whether the store is on a container's own layer, which is lost when the container is removed.
    var isStoreEphemeral: Bool {
        guard case .sqlite(let path) = storage.store, FileManager.default.fileExists(atPath: "/.dockerenv"),
            let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        else { return false }
        let points = mounts.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            return fields.count > 1 && fields[1] != "/" ? String(fields[1]) : nil
        }
        return !points.contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}
