import Foundation
import TestKit

/// The requests of useapi.net's clients.
enum Useapi {
    static let path = "/v1/kling/images/virtual-try-on"
    static let person = "https://example.com/person.jpg"
    static let dress = "https://example.com/dress.jpg"

    /// A create of a person in a dress, with any other members.
    static func body(_ more: String = "", person: String = person) -> String {
        #"{"humanImage":"\#(person)","dressInput":"\#(dress)"\#(more.isEmpty ? "" : ",")\#(more)}"#
    }

    /// The URL of a person, with instructions for the simulator.
    static func person(_ instructions: String) -> String {
        let text = Data(instructions.utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
        return person + "?simulate="
            + text.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
    }
}

/// A body of `multipart/form-data`, built by hand.
struct UseapiForm {
    private let boundary = "boundary-\(UInt32.random(in: 0...(.max)))"
    private var parts: [(head: String, content: [UInt8])] = []

    /// The same form with another boundary, as clients make a new one for each attempt.
    func sentAgain() -> UseapiForm {
        var form = UseapiForm()
        form.parts = parts
        return form
    }

    mutating func add(_ name: String, _ text: String) { add(name, "", Array(text.utf8)) }

    mutating func add(_ name: String, file: [UInt8]) {
        add(name, "; filename=\"a.png\"\r\nContent-Type: image/png", file)
    }

    private mutating func add(_ name: String, _ more: String, _ content: [UInt8]) {
        parts.append(("Content-Disposition: form-data; name=\"\(name)\"\(more)", content))
    }

    var type: String { "multipart/form-data; boundary=\(boundary)" }
    var body: [UInt8] {
        parts.flatMap { Array("--\(boundary)\r\n\($0.head)\r\n\r\n".utf8) + $0.content + [13, 10] }
            + Array("--\(boundary)--\r\n".utf8)
    }
}

extension GatewayProcess {
    /// Sends any bytes, and waits for the answer.
    func post(
        _ path: String, _ body: [UInt8], type: String = "application/json", key: String? = GatewayProcess.key,
        headers: [String] = []
    ) async throws -> RawClient.Answer {
        var head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\nContent-Type: \(type)\r\n"
        if let key { head += "Authorization: Bearer \(key)\r\n" }
        for header in headers { head += header + "\r\n" }
        let request = Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body
        return try await blocking { [port] in
            let client = try RawClient(port: port)
            try client.send(request)
            guard let answer = try client.readAnswer() else { throw TestKitError("POST \(path) was not answered") }
            return answer
        }
    }

    /// Asks for a job.
    func job(
        _ more: String = "", person: String = Useapi.person, key: String = GatewayProcess.key, headers: [String] = []
    ) async throws -> RawClient.Answer {
        try await post(Useapi.path, Array(Useapi.body(more, person: person).utf8), key: key, headers: headers)
    }

    /// Asks for a job that must be accepted, and returns its number.
    func jobNumber(_ more: String = "", person: String = Useapi.person) async throws -> Int {
        let answer = try await job(more, person: person)
        guard let number = answer.jobNumber else { throw TestKitError("\(answer.status): \(answer.text)") }
        return number
    }

    func job(_ number: Int, key: String = GatewayProcess.key) async throws -> RawClient.Answer {
        try await ask("GET", "/v1/kling/tasks/\(number)", key: key)
    }

    /// Waits for the end of a job.
    func endedJob(_ number: Int) async throws -> RawClient.Answer {
        try await eventually("the job ends") { try await self.job(number).json["status_final"] as? Bool == true }
        return try await job(number)
    }

    /// Uploads a picture that must be accepted, and returns its link.
    func uploaded(_ picture: [UInt8], key: String = GatewayProcess.key) async throws -> String {
        let answer = try await post("/v1/kling/assets/?email=", picture, type: "image/png", key: key)
        guard answer.status == 200, let url = answer.json["url"] as? String else {
            throw TestKitError("\(answer.status): \(answer.text)")
        }
        return url
    }
}

extension RawClient.Answer {
    /// The number of the job that the answer shows.
    var jobNumber: Int? { (json["task"] as? [String: Any])?["id"] as? Int }
    /// The URLs of a job's pictures.
    var works: [String] {
        let works = json["works"] as? [[String: Any]] ?? []
        return works.compactMap { ($0["resource"] as? [String: Any])?["resource"] as? String }
    }
    /// The numbers of the jobs that a list shows.
    var history: [Int] {
        let jobs = json["history"] as? [[String: Any]] ?? []
        return jobs.compactMap { ($0["task"] as? [String: Any])?["id"] as? Int }
    }
    /// The error as useapi.net's clients read it; nil if the body is anything else.
    var useapiError: String? {
        Set(json.keys) == ["error", "code"] && json["code"] as? Int == status ? json["error"] as? String : nil
    }
}
