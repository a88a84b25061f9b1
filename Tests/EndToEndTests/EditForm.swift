import Foundation
import TestKit

/// An image edit as OpenAI's SDKs send it, built by hand.
struct EditForm {
    static let path = "/v1/images/edits"

    /// The boundary: the SDKs make a new one for each attempt.
    var boundary = "boundary-\(UInt32.random(in: 0...(.max)))"
    private var bytes: [UInt8] = []

    /// A field.
    mutating func add(_ name: String, _ text: String) { add("name=\"\(name)\"", Array(text.utf8)) }

    /// A file.
    mutating func add(_ name: String, file: [UInt8]) {
        add("name=\"\(name)\"; filename=\"\(name).png\"\r\nContent-Type: image/png", file)
    }

    /// What a browser sends for a file input without a chosen file.
    mutating func addUnchosenFile(_ name: String) {
        add("name=\"\(name)\"; filename=\"\"\r\nContent-Type: application/octet-stream", [])
    }

    private mutating func add(_ parameters: String, _ content: [UInt8]) {
        bytes +=
            Array("--\(boundary)\r\nContent-Disposition: form-data; \(parameters)\r\n\r\n".utf8) + content + [13, 10]
    }

    /// A prompt, which the SDKs require, and pictures.
    init(_ pictures: [[UInt8]], name: String = "image[]") {
        add("prompt", "Try it on")
        for picture in pictures { add(name, file: picture) }
    }

    /// Sends it and waits for the answer.
    func sent(
        to gateway: GatewayProcess, path: String = path, key: String = GatewayProcess.key, headers: [String] = []
    ) async throws -> RawClient.Answer {
        let body = bytes + Array("--\(boundary)--\r\n".utf8)
        let more = headers.map { $0 + "\r\n" }.joined()
        let head =
            "POST \(path) HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nAuthorization: Bearer \(key)\r\n"
            + "Content-Type: multipart/form-data; boundary=\(boundary)\r\nContent-Length: \(body.count)\r\n\(more)\r\n"
        return try await blocking {
            let client = try RawClient(port: gateway.port)
            try client.send(Array(head.utf8) + body)
            guard let answer = try client.readAnswer() else { throw TestKitError("the edit was not answered") }
            return answer
        }
    }
}

/// An image edit in JSON.
enum EditJSON {
    static let garment = "https://shop.example/shirt.png"

    /// The URL of a person, with instructions for the simulator.
    static func person(_ instructions: String? = nil) -> String {
        let url = "https://shop.example/person.png"
        guard let instructions else { return url }
        let text = Data(instructions.utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
        return url + "?simulate="
            + text.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
    }

    /// A body with two URLs and any other members.
    static func body(_ more: String = "", instructions: String? = nil) -> String {
        #"{"prompt":"p","image":["\#(person(instructions))","\#(garment)"]\#(more.isEmpty ? "" : ",")\#(more)}"#
    }
}

extension GatewayProcess {
    /// Sends an image edit in JSON and waits for the answer.
    func edit(
        _ more: String = "", instructions: String? = nil, key: String = GatewayProcess.key, headers: [String] = []
    ) async throws -> RawClient.Answer {
        try await ask(
            "POST", EditForm.path, key: key, headers: headers + ["Content-Type: application/json"],
            body: EditJSON.body(more, instructions: instructions))
    }
}

extension RawClient.Answer {
    /// The pictures of an image edit.
    var pictures: [[String: Any]] { json["data"] as? [[String: Any]] ?? [] }
    /// Whether SDKs are told not to retry.
    var isFinal: Bool { self["x-should-retry"] == "false" }
}
