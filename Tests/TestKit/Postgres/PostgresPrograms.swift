import Foundation

/// PostgreSQL's programs on this machine, and the account that they run as.
struct PostgresPrograms: Sendable {
    /// The folder with `postgres`, `initdb`, `psql` and the rest.
    let folder: String
    /// The account that runs the server, which refuses to run as root; nil for this process' own.
    let account: Account?

    /// A user of this machine.
    struct Account: Sendable {
        let user: uid_t
        let group: gid_t
    }

    private static let oldest = 15

    /// Finds the newest version.
    /// - Throws: a ``TestKitError`` that says what to install.
    init() throws {
        let debian = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []).compactMap { Int($0) }
        let folders = versions.sorted(by: >).filter { $0 >= Self.oldest }.map { "\(debian)/\($0)/bin" }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let candidates = folders + path.split(separator: ":").map(String.init)
        let found = candidates.first { folder in
            ["initdb", "postgres", "psql"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
            }
        }
        guard let found else {
            throw TestKitError(
                "PostgreSQL \(Self.oldest) or newer is not installed: `make deps` installs Debian's package postgresql")
        }
        folder = found
        account = geteuid() == 0 ? Self.unprivileged : nil
        if geteuid() == 0, account == nil {
            throw TestKitError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
        }
    }

    /// Found once, because `getpwnam` is not safe on several threads.
    private static let unprivileged = ["postgres", "nobody"].lazy.compactMap { (name: String) in
        getpwnam(name).map { Account(user: $0.pointee.pw_uid, group: $0.pointee.pw_gid) }
    }.first

    /// Starts one of the programs, as the account.
    func start(_ name: String, _ arguments: [String], input: FileHandle = .nullDevice) throws -> Program {
        let command = ["\(folder)/\(name)"] + arguments
        // English messages, and none of the PG… variables of this process.
        let environment = ["LC_ALL": "C"]
        guard let account else { return try Program(command[0], arguments, environment: environment, input: input) }
        let options = ["--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--"]
        return try Program("setpriv", options + command, environment: environment, input: input)
    }

    /// Runs one of the programs to its end, and returns what it prints.
    func run(_ name: String, _ arguments: [String]) async throws -> String {
        let outcome = try await start(name, arguments).end()
        guard outcome.status == 0 else { throw TestKitError("\(name) ended with \(outcome.status): \(outcome.errors)") }
        return outcome.output
    }

    /// Creates a folder that belongs to the account.
    func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o700) == 0, account.map({ chown(path, $0.user, $0.group) }) ?? 0 == 0 else {
            throw TestKitError("\(path) cannot be made: errno \(errno)")
        }
    }
}
