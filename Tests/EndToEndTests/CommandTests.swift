import Base
import Foundation
import KlingAPI
import TestKit
import Testing

/// The operators' commands, with and without a running gateway.
@Suite(.aFewAtATime) struct CommandTests {
    /// The environment of a terminal in which nothing but the store is known.
    private static func terminal(_ folder: TemporaryFolder) async throws -> [String: String] {
        ["HOME": folder.path(""), "STATE_DIRECTORY": folder.path(""), "KLING_GATEWAY_STORE": try await folder.store]
    }

    private static func run(_ arguments: String..., in folder: TemporaryFolder) async throws -> Program.Outcome {
        try await Program.gateway(arguments, environment: try await terminal(folder)).end()
    }

    // MARK: The store

    @Test func `commands on the store need no Kling account and name the store`() async throws {
        try await Fixture.run { fixture in
            let folder = fixture.gateway.folder
            let store = try await folder.storeName
            let id = try await fixture.createdTask(#""external_task_id":"order-4711""#)
            for arguments in [
                ["keys", "create", "--tenant", "t"], ["keys", "list"], ["tasks", "list"], ["tasks", "show", id],
                ["deliveries", "list"], ["webhooks", "secret", "--tenant", "t"],
            ] {
                let outcome = try await Program.gateway(arguments, environment: try await Self.terminal(folder)).end()
                #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
                #expect(outcome.errors.contains("store: \(store)\n"), "\(outcome.errors)")
            }
            let healthy = try await Program.gateway(
                ["healthcheck"],
                environment: [
                    "HOME": folder.path(""), "KLING_GATEWAY_ADMIN_LISTEN": "127.0.0.1:\(fixture.gateway.adminPort)",
                ]
            ).end()
            #expect(healthy.status == 0, "\(healthy.errors)")
            let log = fixture.gateway.program.errorText
            #expect(log.contains(store))
            if TestStore.chosen == .sqlite { #expect(log.contains("a new store is created")) }
        }
    }

    @Test(
        .needsSQLite("a database in PostgreSQL is made by its operator"),
        arguments: [
            ["keys", "list"], ["keys", "revoke", "key_1"], ["tasks", "list"], ["tasks", "show", "1"],
            ["deliveries", "list"], ["deliveries", "redeliver", "msg_1"],
        ])
    func `a command that only looks at the store does not create one`(arguments: [String]) async throws {
        let folder = try TemporaryFolder()
        let outcome = try await Program.gateway(arguments, environment: try await Self.terminal(folder)).end()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("there is no store at \(folder.path("gateway.db"))"), "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")).isEmpty)
    }

    @Test(
        .needsSQLite("a database in PostgreSQL is made by its operator"),
        arguments: [["keys", "create", "--tenant", "t"], ["webhooks", "secret", "--tenant", "t"]])
    func `a command that creates the store says so`(arguments: [String]) async throws {
        let folder = try TemporaryFolder()
        let first = try await Program.gateway(arguments, environment: try await Self.terminal(folder)).end()
        #expect(first.status == 0 && first.errors == "store: \(folder.path("gateway.db")) (new)\n", "\(first.errors)")
        let second = try await Program.gateway(arguments, environment: try await Self.terminal(folder)).end()
        #expect(second.errors == "store: \(folder.path("gateway.db"))\n")
    }

    // MARK: The master key

    @Test func `a command without the master key of the gateway that serves changes nothing`() async throws {
        let key = ["KLING_GATEWAY_MASTER_KEY": "the-master-key-of-the-gateway-that-serves"]
        try await Fixture.run(environment: key) { fixture in
            let folder = fixture.gateway.folder
            func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> Program.Outcome {
                let environment = try await Self.terminal(folder).merging(environment) { $1 }
                return try await Program.gateway(arguments, environment: environment).end()
            }
            for arguments in [
                ["keys", "create", "--tenant", "t"], ["webhooks", "secret", "--tenant", "t"],
                ["webhooks", "rotate", "--tenant", "t"],
            ] {
                for environment in [[:], ["KLING_GATEWAY_MASTER_KEY": "another-master-key-of-the-same-length-or-so"]] {
                    let refused = try await run(arguments, environment)
                    #expect(refused.status == 1 && refused.output.isEmpty, "\(arguments)")
                    #expect(refused.errors.contains("set KLING_GATEWAY_MASTER_KEY"), "\(refused.errors)")
                }
            }
            // Commands that need no master key work, and no master key was made.
            let listed = try await run(["keys", "list"])
            #expect(listed.status == 0 && listed.errors.contains("no keys"), "\(listed.errors)")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path(""))
            #expect(!files.contains { $0.contains("key") }, "\(files)")
            let made = try await run(["keys", "create", "--tenant", "t", "--json"], key)
            let secrets = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: String] ?? [:]
            let (access, secret) = (secrets["access_key"] ?? "", Secret(secrets["secret_key"] ?? ""))
            let token = TokenSigner(accessKey: access, secretKey: secret).token(now: Int(Date().timeIntervalSince1970))
            #expect(try await fixture.gateway.ask("GET", Fixture.path, key: token).status == 200, "\(made.errors)")
        }
    }

    @Test func `a store takes keys under one master key, also before any gateway serves`() async throws {
        let folder = try TemporaryFolder()
        let arguments = ["keys", "create", "--tenant", "t"]
        let other = ["KLING_GATEWAY_MASTER_KEY": "another-master-key-of-the-same-length-or-so"]
        #expect(try await Program.gateway(arguments, environment: try await Self.terminal(folder)).end().status == 0)
        let refused = try await Program.gateway(
            arguments, environment: try await Self.terminal(folder).merging(other) { $1 }
        ).end()
        #expect(refused.status == 1 && refused.errors.contains("set KLING_GATEWAY_MASTER_KEY"), "\(refused.errors)")
        #expect(try await Program.gateway(arguments, environment: try await Self.terminal(folder)).end().status == 0)
    }

    // MARK: Lists

    @Test func `a task is found by the client's own id, and its deliveries too`() async throws {
        try await Fixture.run { fixture in
            let folder = fixture.gateway.folder
            let id = try await fixture.createdTask(
                #""external_task_id":"order-4711","callback_url":"https://shop.example/kling""#)
            let shown = try await Self.run("tasks", "show", "order-4711", in: folder)
            #expect(shown.status == 0 && shown.output.contains(#""task_id":"\#(id)""#), "\(shown.errors)")
            let callbacks = try await Self.run("deliveries", "list", "--task", "order-4711", in: folder)
            #expect(callbacks.output.contains("https://shop.example/kling"), "\(callbacks.errors)")
            for arguments in [["tasks", "show", "order-4712"], ["deliveries", "list", "--task", "order-4712"]] {
                let outcome = try await Program.gateway(arguments, environment: try await Self.terminal(folder)).end()
                #expect(outcome.status == 1 && outcome.errors.contains("no such task: order-4712"))
            }
            // Two tenants may use the same id: a command that changes a task does not choose.
            let other = GatewayProcess.otherKey
            #expect(try await fixture.create(#""external_task_id":"order-4711""#, key: other).status == 200)
            let both = try await Self.run("tasks", "show", "order-4711", in: folder)
            #expect(both.output.split(separator: "\n").count == 2)
            let cancelled = try await Self.run("tasks", "cancel", "order-4711", in: folder)
            #expect(cancelled.status == 1 && cancelled.errors.contains("2 tasks have the id"), "\(cancelled.errors)")
        }
    }

    @Test func `lists have headings, and an empty list says that it is empty`() async throws {
        try await Fixture.run { fixture in
            let folder = fixture.gateway.folder
            for (command, note) in [("keys", "no keys"), ("tasks", "no tasks"), ("deliveries", "no deliveries")] {
                let empty = try await Self.run(command, "list", in: folder)
                #expect(empty.status == 0 && empty.output == "" && empty.errors.contains(note), "\(empty.errors)")
                let json = try await Self.run(command, "list", "--json", in: folder)
                #expect(json.output == (command == "keys" ? "[]\n" : "") && !json.errors.contains(note))
            }
            _ = try await fixture.createdTask(#""callback_url":"https://shop.example/kling""#)
            _ = try await Self.run("keys", "create", "--tenant", "t", in: folder)
            for (command, headings) in [
                ("keys", ["ID", "STATUS", "TENANT", "ACCESS", "KEY"]),
                ("tasks", ["CREATED", "ID", "STATE", "TENANT", "ACCOUNT", "MODEL", "ATTENTION"]),
                ("deliveries", ["CREATED", "ID", "STATE", "ATTEMPTS", "TENANT", "URL"]),
            ] {
                let lines = try await Self.run(command, "list", in: folder).output.split(separator: "\n")
                #expect(lines.count == 2 && lines.first?.split(separator: " ").map(String.init) == headings, "\(lines)")
            }
            let accounts = try await fixture.command(["accounts"]).output.split(separator: "\n")
            #expect(accounts.count == 2 && accounts.first?.hasPrefix("NAME") == true, "\(accounts)")
        }
    }

    // MARK: The configuration

    @Test func `a busy port's error names the key that sets it`() async throws {
        try await Fixture.run { fixture in
            for (variable, key, port) in [
                ("KLING_GATEWAY_LISTEN", "listen", fixture.gateway.port),
                ("KLING_GATEWAY_ADMIN_LISTEN", "admin.listen", fixture.gateway.adminPort),
            ] {
                let folder = try TemporaryFolder()
                let environment = try await GatewayProcess.environment(kling: fixture.kling.url, folder)
                    .merging([variable: "127.0.0.1:\(port)"]) { $1 }
                let outcome = try await Program.gateway(["serve"], environment: environment).end()
                #expect(outcome.status == 1)
                let expected = "error: \(key): 127.0.0.1:\(port) is in use by another process; set another port there"
                #expect(outcome.errors.contains(expected) && outcome.errors.contains(variable), "\(outcome.errors)")
            }
        }
    }

    @Test func `check-config takes the file alone or with --config, but not both`() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("workers: many", to: "config.yaml")
        var environment = try await GatewayProcess.environment(kling: "http://127.0.0.1:9", folder)
        environment["KLING_GATEWAY_LISTENN"] = "127.0.0.1:1"
        func check(_ arguments: String...) async throws -> Program.Outcome {
            try await Program.gateway(["check-config"] + arguments, environment: environment).end()
        }
        for outcome in [try await check(file), try await check("--config", file)] {
            #expect(outcome.status == 78 && outcome.errors.contains("workers (line 1)"), "\(outcome.errors)")
        }
        #expect(try await check(file, "--config", file).status == 64)
        let valid = try await check(try folder.write("workers: 1", to: "config.yaml"))
        #expect(valid.status == 0)
        #expect(valid.errors.contains("KLING_GATEWAY_LISTENN: has no effect; did you mean KLING_GATEWAY_LISTEN?"))
    }
}
