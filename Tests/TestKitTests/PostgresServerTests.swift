import Foundation
import TestKit
import Testing

/// The PostgreSQL servers that other tests run against.
@Suite(.aFewAtATime, .needsPostgres) struct PostgresServerTests {
    @Test func `tests share a server, and get databases of their own`() async throws {
        let server = try await PostgresServer.shared
        let (one, other) = (try await server.makeDatabase(), try await server.makeDatabase())
        #expect(try await PostgresServer.shared.port == server.port)
        _ = try await server.query("CREATE TABLE tasks (id text); INSERT INTO tasks VALUES ('a'), ('b')", in: one)
        #expect(try await server.query("SELECT id, 1 FROM tasks", in: one) == "a|1\nb|1")
        await #expect(throws: TestKitError.self) { try await server.query("SELECT id FROM tasks", in: other) }
    }

    @Test func `the gateway's user owns its database and has no further rights`() async throws {
        let server = try await PostgresServer.shared
        let rights =
            "SELECT current_user, rolsuper, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = current_user"
        #expect(try await server.query(rights, in: try await server.makeDatabase()) == "gateway|f|f|f")
    }

    @Test func `a server syncs its writes, and has the settings that it was given`() async throws {
        let server = try await PostgresServer(settings: ["synchronous_commit": "off", "cluster_name": "it's"])
        #expect(try await server.query("SHOW fsync") == "on")
        #expect(try await server.query("SHOW synchronous_commit") == "off")
        #expect(try await server.query("SHOW cluster_name") == "it's")
    }

    @Test func `a killed server keeps what was committed, and starts again on its port`() async throws {
        let server = try await PostgresServer()
        let database = try await server.makeDatabase()
        _ = try await server.query("CREATE TABLE tasks (id int); INSERT INTO tasks VALUES (1)", in: database)
        try await server.kill()
        await #expect(throws: TestKitError.self) { try await server.query("SELECT 1", in: database) }
        try await server.start()
        #expect(server.log.contains("database system was not properly shut down"))
        #expect(try await server.query("SELECT id FROM tasks", in: database) == "1")
    }

    @Test func `a stopped server starts again`() async throws {
        let server = try await PostgresServer()
        try await server.stop()
        await #expect(throws: TestKitError.self) { try await server.query("SELECT 1") }
        try await server.start()
        #expect(!server.log.contains("not properly shut down"))
        #expect(try await server.query("SELECT 1") == "1")
    }

    @Test func `a paused server answers nothing until it is resumed`() async throws {
        let server = try await PostgresServer()
        let database = try await server.makeDatabase()
        try await server.pause()
        await #expect(throws: TestKitError.self) {
            try await server.query("SELECT 1", in: database + "?connect_timeout=2")
        }
        try await server.resume()
        #expect(try await server.query("SELECT 1", in: database) == "1")
    }

    @Test func `a synchronous standby has every commit, and takes writes once it is promoted`() async throws {
        let server = try await PostgresServer()
        _ = try await server.makeDatabase("shop")
        let standby = try await server.makeStandby(isSynchronous: true)
        let (here, there) = (server.url(ofDatabase: "shop"), standby.url(ofDatabase: "shop"))
        _ = try await server.query("CREATE TABLE tasks (id int); INSERT INTO tasks VALUES (1)", in: here)
        let insert = "INSERT INTO tasks VALUES (2)"
        await #expect(throws: TestKitError.self) { try await standby.query(insert, in: there) }
        try await server.kill()
        try await standby.promote()
        _ = try await standby.query(insert, in: there)
        #expect(try await standby.query("SELECT id FROM tasks ORDER BY id", in: there) == "1\n2")
    }

    @Test(.timeLimit(.minutes(5))) func `a server ends with its object, even if programs started since then still run`()
        async throws
    {
        var server: PostgresServer? = try await PostgresServer()
        let data = try #require(server?.data)
        let text = try String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8)
        let process = try #require(Int32(text.prefix { $0.isNumber }))
        let program = try Program("sleep", ["1000"])
        try await server?.pause()
        server = nil
        #expect(!FileManager.default.fileExists(atPath: data))
        // A process that has ended has its number until this one has asked how it did.
        while kill(process, 0) == 0 { await Task.yield() }
        program.signal(SIGKILL)
    }
}
