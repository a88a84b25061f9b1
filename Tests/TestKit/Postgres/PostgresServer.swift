import Base
import Foundation

/// A PostgreSQL server with a cluster in a temporary folder, on a free port of 127.0.0.1. It writes to the disk as in
/// production: `fsync` stays on.
///
/// The server ends with its object, and also if this process is killed.
public final class PostgresServer: Sendable {
    public let port: UInt16
    /// The folder of the cluster, with `pg_hba.conf` and the rest.
    public let data: String
    let programs: PostgresPrograms
    private let folder: PostgresFolder
    private let process: Lock<Program?>
    private let databases = Lock(0)

    private static let starting = Task { try await PostgresServer() }

    /// The server that the tests of this process share: each uses databases of its own, and none stops the server.
    public static var shared: PostgresServer { get async throws { try await starting.value } }

    /// How a server stops, by the signal that asks for it.
    public enum StopMode: Sendable {
        /// Waits for the clients to leave.
        case smart
        /// Disconnects the clients.
        case fast
        /// Stops without a checkpoint: the next start recovers from the log.
        case immediate

        fileprivate var signal: Int32 {
            switch self {
            case .smart: SIGTERM
            case .fast: SIGINT
            case .immediate: SIGQUIT
            }
        }
    }

    /// Creates a cluster and starts the server.
    /// - Parameter settings: settings of `postgresql.conf`. Tests can change them later with `ALTER SYSTEM`.
    public convenience init(settings: [String: String] = [:]) async throws {
        try await self.init(PostgresPrograms(), settings) { programs, data in
            let options = [
                "--username=\(Self.superuser)", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync",
            ]
            _ = try await programs.run("initdb", options + ["--pgdata=\(data)"])
        }
        _ = try await query("CREATE ROLE \(Self.user) LOGIN")
    }

    init(
        _ programs: PostgresPrograms, _ settings: [String: String],
        makeCluster: (PostgresPrograms, _ data: String) async throws -> Void
    ) async throws {
        self.programs = programs
        folder = try PostgresFolder(programs)
        data = folder.path + "/data"
        try await makeCluster(programs, data)
        try Self.add(Self.settings.merging(settings) { $1 }, to: data + "/postgresql.conf")
        let (program, port) = try await Self.launch(programs, data)
        self.port = port
        process = Lock(program)
    }

    // Before `process` goes, which would only kill the server.
    deinit { folder.remove() }

    /// The superuser, who makes databases.
    public static let superuser = "postgres"
    /// The user of the gateway, who owns the databases and may do nothing else.
    public static let user = "gateway"

    /// There is no Unix socket, because the path of a temporary folder may be too long for one.
    private static let settings = [
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "300",
    ]

    static func add(_ settings: [String: String], to path: String) throws {
        let lines = settings.map { "\($0) = '\($1.replacingOccurrences(of: "'", with: "''"))'\n" }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(lines.joined().utf8))
        try file.close()
    }

    // MARK: Start and stop

    /// Starts the server on a free port.
    private static func launch(_ programs: PostgresPrograms, _ data: String) async throws -> (Program, UInt16) {
        for _ in 0..<5 {
            let port = try freePort()
            let program = try programs.start("postgres", ["-D", data, "-p", "\(port)"])
            do {
                try await waitUntilReady(program)
                return (program, port)
            } catch {
                guard program.errorText.contains("could not bind") else { throw error }
            }
        }
        throw TestKitError("PostgreSQL found no free port")
    }

    private static func waitUntilReady(_ program: Program) async throws {
        // A standby is ready for reads.
        try await program.errorLine { $0.contains("database system is ready to accept") ? () : nil }
    }

    /// Starts the server again, on the same port, and waits until it accepts connections.
    public func start() async throws {
        let program = try programs.start("postgres", ["-D", data, "-p", "\(port)"])
        try await Self.waitUntilReady(program)
        process.withLock { $0 = program }
    }

    /// Stops the server and waits for its end.
    public func stop(_ mode: StopMode = .fast) async throws {
        guard let program = process.withLock({ $0 }) else { return }
        program.signal(mode.signal)
        _ = try await program.end()
        process.withLock { $0 = nil }
    }

    /// Kills all of the server's processes at once. The disk keeps what was written, as after any crash of a program.
    public func kill() async throws {
        guard let program = process.withLock({ $0 }) else { return }
        try await blocking {
            let all = try ProcessTree(root: program.identifier).halt()
            all.signal(SIGKILL)
            try all.waitForEnd()
        }
        _ = try await program.end()
        process.withLock { $0 = nil }
    }

    /// Halts all of the server's processes: the system still accepts connections for it, but nothing is answered.
    public func pause() async throws {
        guard let program = process.withLock({ $0 }) else { return }
        try await blocking { _ = try ProcessTree(root: program.identifier).halt() }
    }

    /// Lets a paused server go on.
    public func resume() async throws {
        guard let program = process.withLock({ $0 }) else { return }
        try await blocking { ProcessTree(root: program.identifier).all().signal(SIGCONT) }
    }

    /// What the server has logged since its last start.
    public var log: String { process.withLock { $0 }?.errorText ?? "" }

    // MARK: Databases

    /// Creates a database for the gateway, and returns its URL.
    /// - Parameter name: its name; by default, one that is not in use.
    public func makeDatabase(_ name: String? = nil) async throws -> String {
        let number = databases.withLock { count in
            count += 1
            return count
        }
        let name = name ?? "test_\(number)"
        // The standard template may be in use, `template0` never is.
        _ = try await query("CREATE DATABASE \"\(name)\" OWNER \(Self.user) TEMPLATE template0")
        return url(ofDatabase: name)
    }

    /// The URL of a database on this server.
    public func url(ofDatabase name: String, user: String = PostgresServer.user) -> String {
        "postgres://\(user)@127.0.0.1:\(port)/\(name)"
    }

    /// The URL of a database that several servers have, of which one is the primary.
    public static func url(ofDatabase name: String, on servers: [PostgresServer]) -> String {
        "postgres://\(user)@" + servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") + "/" + name
    }

    /// Runs SQL with `psql`, and returns what it prints: a line for each row, with `|` between the values.
    /// - Parameter url: the database and the user; by default, the superuser's database.
    public func query(_ sql: String, in url: String? = nil) async throws -> String {
        let url = url ?? self.url(ofDatabase: "postgres", user: Self.superuser)
        let output = try await programs.run("psql", Self.options + ["--dbname=\(url)", "--command=\(sql)"])
        return output.trimmingCharacters(in: .newlines)
    }

    /// Starts `psql`, which runs the SQL and the commands that it reads, and keeps its transaction until it ends.
    public func session(in url: String, input: FileHandle) throws -> Program {
        try programs.start("psql", Self.options + ["--dbname=\(url)"], input: input)
    }

    private static let options = [
        "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
    ]
}
