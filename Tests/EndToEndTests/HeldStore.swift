import Foundation
import TestKit

/// Another program at a gateway's store, which keeps the gateway from writing, but not from reading, from ``hold()`` to
/// ``release()``.
final class HeldStore: Sendable {
    private let program: Program
    private let input: FileHandle

    /// Connects to the store of the gateway whose files are in `folder`.
    init(_ folder: TemporaryFolder) async throws {
        let pipe = Pipe()
        input = pipe.fileHandleForWriting
        switch TestStore.chosen {
        case .sqlite:
            let arguments = ["-c", Self.python, folder.path("gateway.db")]
            program = try Program("python3", arguments, input: pipe.fileHandleForReading)
        case .postgres:
            let server = try await PostgresServer.shared
            program = try server.session(in: try await folder.database, input: pipe.fileHandleForReading)
            try input.write(contentsOf: Data("\\warn ready\n".utf8))
        }
        try await line("ready")
    }

    /// Takes the locks.
    func hold() async throws {
        try input.write(contentsOf: Data((TestStore.chosen == .sqlite ? "hold\n" : Self.sql).utf8))
        try await line("held")
    }

    /// Ends the program, and with it the locks.
    func release() async throws {
        program.signal(SIGKILL)
        _ = try await program.end()
    }

    private func line(_ text: String) async throws { try await program.errorLine { $0 == text ? () : nil } }

    private static let python = """
        import sqlite3, sys
        store = sqlite3.connect(sys.argv[1], isolation_level=None)
        print("ready", file=sys.stderr, flush=True)
        sys.stdin.readline()
        store.execute("BEGIN IMMEDIATE")
        print("held", file=sys.stderr, flush=True)
        sys.stdin.readline()
        """

    /// All tables but that of the gateways themselves. Waiting for one while holding others could be a deadlock.
    private static let sql = #"""
        BEGIN;
        DO $$
        DECLARE
            tables text := (
                SELECT string_agg(format('kling_gateway.%I', tablename), ', ') FROM pg_tables
                WHERE schemaname = 'kling_gateway' AND tablename <> 'replicas');
        BEGIN
            LOOP
                BEGIN
                    EXECUTE 'LOCK TABLE ' || tables || ' IN EXCLUSIVE MODE NOWAIT';
                    EXIT;
                EXCEPTION WHEN lock_not_available THEN
                    PERFORM pg_sleep(0.005);
                END;
            END LOOP;
        END $$;
        \warn held

        """#
}
