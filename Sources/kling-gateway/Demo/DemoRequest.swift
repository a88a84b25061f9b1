internal import Base
internal import Foundation
internal import HTTPClient

/// A request of the demo, and the curl command that sends it.
struct DemoRequest: Sendable {
    /// A body of JSON.
    enum Body: Sendable {
        case text(String)
        /// The file's path, and what is in it.
        case file(String, [UInt8])
    }

    let url: String
    var key: String?
    var body: Body?

    /// The request itself: a POST if it has a body.
    var request: HTTPClientRequest {
        var request = HTTPClientRequest(body == nil ? .get : .post, url)
        request.timeout = .seconds(60)
        request.maximumAnswer = 64 << 20
        if let key { request.headers.append(("Authorization", "Bearer \(key)")) }
        if let body {
            request.headers.append(("Content-Type", "application/json"))
            let bytes = body.bytes
            request.body = [ByteSlice(Bytes(bytes), 0..<bytes.count)]
        }
        return request
    }

    /// The command as a user types it in a shell.
    var command: String {
        var arguments = body == nil ? [url] : ["-X", "POST", url]
        if let key { arguments += ["-H", "Authorization: Bearer \(key)"] }
        switch body {
        case .text(let text): arguments += ["-H", "Content-Type: application/json", "--data", text]
        case .file(let path, _): arguments += ["-H", "Content-Type: application/json", "--data", "@\(path)"]
        case nil: break
        }
        return "curl " + arguments.map(Self.quoted).joined(separator: " ")
    }

    private static func quoted(_ argument: String) -> String {
        let safe = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./:@=,%"))
        return argument.unicodeScalars.allSatisfy(safe.contains) ? argument : "'\(argument)'"
    }
}

extension DemoRequest.Body {
    fileprivate var bytes: [UInt8] {
        switch self {
        case .text(let text): Array(text.utf8)
        case .file(_, let bytes): bytes
        }
    }
}
