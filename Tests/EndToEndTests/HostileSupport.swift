import Foundation
import KlingSimulator
import TestKit

extension Fixture {
    /// Sends bytes as they are on a connection of their own, and reads the answer.
    func exchange(_ bytes: [UInt8], admin: Bool = false) async throws -> RawClient.Answer {
        let port = admin ? gateway.adminPort : gateway.port
        let answer = try await blocking {
            let client = try RawClient(port: port)
            try client.send(bytes)
            return try client.readAnswer()
        }
        guard let answer else { throw TestKitError("the connection was closed without an answer") }
        return answer
    }

    /// The head of a create with a body of `length` bytes.
    static func createHead(length: Int, _ fields: [String] = [], key: String = GatewayProcess.key) -> String {
        let own = ["Host: gateway", "Authorization: Bearer \(key)", "Content-Length: \(length)"]
        return "POST \(path) HTTP/1.1\r\n" + (own + fields).map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// A complete create with any bytes as its body.
    static func create(_ body: [UInt8], _ fields: [String] = []) -> [UInt8] {
        Array(createHead(length: body.count, fields).utf8) + body
    }

    /// How many creates have reached Kling.
    var creates: Int { kling.figures.reduce(0) { $0 + $1.creates } }

    /// How many requests of any kind have reached Kling, apart from the gateway's own list call at its start.
    var callsToKling: Int { kling.figures.reduce(0) { $0 + $1.creates + $1.queries + max(0, $1.lists - 1) } }

    /// Runs a gateway command beside the running gateway.
    @discardableResult
    func command(_ arguments: [String], environment: [String: String] = [:]) async throws -> Program.Outcome {
        let own = try await GatewayProcess.environment(kling: kling.url, gateway.folder)
        return try await Program.gateway(arguments, environment: own.merging(environment) { $1 }).end()
    }

    /// The lower-case names of all header fields that Kling has seen so far.
    func headerNamesSeenByKling() async throws -> Set<String> {
        let port = kling.url.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        let answer = try await blocking {
            let client = try RawClient(port: port)
            try client.send("GET /_simulator/requests HTTP/1.1\r\nHost: kling\r\n\r\n")
            return try client.readAnswer()
        }
        return Set(answer?.json["header_names"] as? [String] ?? [])
    }
}

/// Polls until the condition holds, with pauses that leave the processor to the work that is waited for.
func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !isSo() {
        guard ContinuousClock.now < deadline else { throw TestKitError("this did not happen: \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Runs curl, as a client written by others, and returns what `-w` and what `-v` printed.
func curl(_ arguments: [String]) async throws -> (written: String, messages: String) {
    let outcome = try await Program("curl", ["-sS", "-v", "--noproxy", "*", "--max-time", "30"] + arguments).end()
    return (outcome.output, outcome.errors)
}

extension Program {
    /// Its resident memory in bytes; nil if the system does not report it, and under the address sanitizer, which keeps
    /// freed memory.
    var residentBytes: Int? {
        #if ADDRESS_SANITIZER
        return nil
        #else
        guard let text = try? String(contentsOfFile: "/proc/\(identifier)/statm", encoding: .utf8),
            let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        #endif
    }

    /// Its peak resident memory so far; nil as for ``residentBytes``.
    var peakBytes: Int? {
        #if ADDRESS_SANITIZER
        return nil
        #else
        let lines = try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8).split(separator: "\n")
        let peak = lines?.first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace).dropFirst().first
        return peak.flatMap { Int($0) }.map { $0 << 10 }
        #endif
    }
}

extension RawClient.Answer {
    /// The answer without the parts that differ from one exchange to the next.
    var likeness: String {
        var body = json
        body["request_id"] = nil
        let fields = headers.filter { !["Date", "X-Request-Id"].contains($0.name) }.map { "\($0.name): \($0.value)" }
        let data = (try? JSONSerialization.data(withJSONObject: body, options: .sortedKeys)) ?? Data()
        return "\(status) \(fields) \(String(decoding: data, as: UTF8.self))"
    }
}
