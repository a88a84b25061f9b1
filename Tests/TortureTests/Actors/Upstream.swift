import Foundation
import TestKit

/// The simulated Kling, in a process of its own that survives the kills of the gateway.
final class Upstream: Sendable {
    let url: String
    private let program: Program

    /// Starts it.
    init(_ options: TortureOptions) async throws {
        var dice = Dice(seed: options.seed, "upstream")
        let shape = dice.pick([(1, "1201"), (1, "1203"), (1, "failed")])
        var arguments = [
            "simulate", "--listen", "127.0.0.1:0", "--seed", "\(options.seed)", "--unknown-task", shape,
            "--min-duration", "20", "--max-duration", "500", "--no-fetch",
        ]
        // A gateway with a wrong clock could do nothing at Kling, which is not what the run tests.
        if options.has(.clocks) { arguments.append("--any-token-time") }
        for account in AccountPlan(options).accounts { arguments += ["--account", account.argument] }
        program = try Program.gateway(arguments, environment: [:])
        url = try await program.outputLine { line in
            line.split(separator: " ").first { $0.hasPrefix("http://") }.map(String.init)
        }
    }

    func kill() { program.signal(SIGKILL) }

    /// The tasks in its book.
    func tasks(_ caller: Caller) async throws -> [UpstreamTask] {
        struct Book: Decodable { let tasks: [UpstreamTask] }
        return try await read(Book.self, "tasks", caller).tasks
    }

    /// The creates that arrived, in order.
    func arrivals(_ caller: Caller) async throws -> [ArrivedCreate] {
        struct Book: Decodable { let creates: [ArrivedCreate] }
        return try await read(Book.self, "creates", caller).creates
    }

    /// How many faults occurred, by kind of request.
    func faults(_ caller: Caller) async throws -> [String: Int] {
        struct Journal: Decodable { let faults: [String: Int] }
        return try await read(Journal.self, "requests", caller).faults
    }

    /// Replaces the faults in force. In between, nothing goes wrong for a moment.
    func setFaults(_ rules: [WeatherPlan.Rule], _ caller: Caller) async throws {
        try await clearFaults()
        for rule in rules {
            let answer = try await caller.post(url + "/_simulator/faults", rule.json).get()
            guard answer.status == 200 else { throw TestKitError("the simulator does not take \(rule.json)") }
        }
    }

    /// Removes all faults.
    func clearFaults() async throws {
        let port = url.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        let answer = try await blocking {
            let client = try RawClient(port: port)
            try client.send("DELETE /_simulator/faults HTTP/1.1\r\nHost: kling\r\nConnection: close\r\n\r\n")
            return try client.readAnswer()
        }
        guard answer?.status == 200 else { throw TestKitError("the simulator does not clear its faults") }
    }

    private func read<Content: Decodable>(_: Content.Type, _ name: String, _ caller: Caller) async throws -> Content {
        let answer = try await caller.get(url + "/_simulator/" + name).get()
        return try decoded(Content.self, answer.body, from: name)
    }
}

/// Decodes JSON that a program wrote. An error shows how the output ends.
func decoded<Content: Decodable>(
    _: Content.Type, _ bytes: some Sequence<UInt8>, from source: String
) throws -> Content {
    let data = Data(bytes)
    do { return try JSONDecoder().decode(Content.self, from: data) } catch {
        let end = String(decoding: data.suffix(300), as: UTF8.self)
        throw TestKitError("\(source): \(error); it wrote \(data.count) bytes that end in \(end)")
    }
}
