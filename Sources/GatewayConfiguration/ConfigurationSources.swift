internal import Glibc

/// The inputs of a configuration. Nothing else in the process is read.
public struct ConfigurationSources: Sendable {
    /// The environment.
    public var environment: [String: String]
    /// The value of `--config`.
    public var configFlag: String?
    /// Other flags: dotted key path → text; lists are comma-separated.
    public var flags: [String: String]
    /// The file system.
    public var files: ConfigurationFiles

    /// Creates sources from these inputs.
    public init(
        environment: [String: String], configFlag: String? = nil, flags: [String: String] = [:],
        files: ConfigurationFiles = .system
    ) {
        self.environment = environment
        self.configFlag = configFlag
        self.flags = flags
        self.files = files
    }

    /// The file to read: `--config`, else `KLING_GATEWAY_CONFIG`, else the default file if it exists.
    var file: (path: String, place: ConfigurationPlace)? {
        if let configFlag { return (configFlag, ConfigurationPlace(path: "", override: "--config")) }
        if let path = environment[Self.config], !path.isEmpty {
            return (path, ConfigurationPlace(path: "", override: Self.config))
        }
        let usual = "/etc/kling-gateway/config.yaml"
        return files.exists(usual) ? (usual, .top) : nil
    }

    /// The folder for the store if the configuration names none.
    var stateDirectory: String? {
        if let directory = environment["STATE_DIRECTORY"]?.split(separator: ":").first { return String(directory) }
        let usual = "/var/lib/kling-gateway"
        if files.isWritable(usual) || !files.exists(usual) && files.isWritable("/var/lib") { return usual }
        guard let home = environment["HOME"], !home.isEmpty else { return nil }
        return "\(home)/.local/state/kling-gateway"
    }
}

/// The file system operations that loading a configuration needs.
public struct ConfigurationFiles: Sendable {
    /// Reads a file's text, or says why it can't be read.
    public var read: @Sendable (String) -> Result<String, SystemFailure>
    /// Whether a path exists.
    public var exists: @Sendable (String) -> Bool
    /// Whether a path exists and is writable.
    public var isWritable: @Sendable (String) -> Bool

    /// Creates a file system from these functions.
    public init(
        read: @escaping @Sendable (String) -> Result<String, SystemFailure>,
        exists: @escaping @Sendable (String) -> Bool, isWritable: @escaping @Sendable (String) -> Bool
    ) {
        self.read = read
        self.exists = exists
        self.isWritable = isWritable
    }

    /// Why a file can't be read.
    public struct SystemFailure: Error, Sendable, CustomStringConvertible {
        public let description: String

        /// Creates a failure with a description.
        public init(_ description: String) { self.description = description }
    }

    /// The system's own file system.
    public static let system = ConfigurationFiles(
        read: { FilePath.contents(of: $0) },
        exists: { unsafe access($0, F_OK) == 0 },
        isWritable: { unsafe access($0, W_OK) == 0 })
}

/// Paths and small files.
enum FilePath {
    private static let largest = 1 << 20

    /// The folder that contains a path.
    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The text of a file of at most 1 MiB.
    static func contents(of path: String) -> Result<String, ConfigurationFiles.SystemFailure> {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(failure()) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count <= largest {
            var block = [UInt8](repeating: 0, count: 64 << 10)
            let count = unsafe read(descriptor, &block, block.count)
            guard count >= 0 else { return .failure(failure()) }
            if count == 0 { break }
            bytes += block[..<count]
        }
        guard bytes.count <= largest else { return .failure(.init("it is larger than 1 MiB")) }
        guard let text = String(validating: bytes, as: UTF8.self) else { return .failure(.init("it is not UTF-8")) }
        return .success(text)
    }

    private static func failure() -> ConfigurationFiles.SystemFailure { .init(unsafe String(cString: strerror(errno))) }
}
