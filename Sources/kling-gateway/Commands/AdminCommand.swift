internal import ArgumentParser
internal import Base
internal import Foundation
internal import Gateway
internal import HTTPServer
internal import KlingAPI

/// Makes the calls of a command, and turns refusals into the command's end.
struct AdminCommand {
    enum Way {
        case gateway(AdminClient)
        case store(AdminAPI)
    }

    private let way: Way

    init(_ way: Way) { self.way = way }

    /// Makes a call.
    /// - Parameters:
    ///   - query: the parameters; those without a value are left out.
    ///   - body: the members of the body.
    /// - Returns: the answer's body.
    /// - Throws: the exit code, after printing why the call was refused.
    func ask(
        _ method: HTTPMethod, _ path: AdminCallPath, query: [(String, String?)] = [], body: [UInt8] = []
    ) async throws -> [UInt8] {
        let call = AdminCall(
            method, path.text, query: Self.encoded(query), body: Bytes(body), by: .command)
        var answer: [UInt8] = []
        let status = try await perform(call) { answer += $1 }
        if Self.isSuccess(status) { return answer }
        throw Self.refusal(status, answer)
    }

    /// Makes a call, and writes the answer to standard output while it comes in.
    func print(_ path: AdminCallPath, query: [(String, String?)] = []) async throws {
        var refusal: [UInt8] = []
        let status = try await perform(AdminCall(.get, path.text, query: Self.encoded(query), by: .command)) {
            status, part in
            if Self.isSuccess(status) { FileHandle.standardOutput.write(Data(part)) } else { refusal += part }
        }
        if !Self.isSuccess(status) { throw Self.refusal(status, refusal) }
    }

    private static func isSuccess(_ status: Int) -> Bool { (200...299).contains(status) }

    private static func refusal(_ status: Int, _ answer: [UInt8]) -> ExitCode {
        fail(JSONObject(answer)?.string("error") ?? "the gateway has answered with status \(status)")
    }

    /// Makes a call whose answer is an object.
    func object(
        _ method: HTTPMethod, _ path: AdminCallPath, body: [UInt8] = []
    ) async throws -> JSONObject {
        guard let object = JSONObject(try await ask(method, path, body: body)) else { throw Self.unreadable }
        return object
    }

    /// Gets a list of objects.
    func list(_ path: AdminCallPath, query: [(String, String?)] = []) async throws -> [JSONObject] {
        guard let list = JSONObject.list(try await ask(.get, path, query: query)) else { throw Self.unreadable }
        return list
    }

    private static var unreadable: ExitCode { fail("the gateway's answer cannot be read") }

    /// - Parameter take: called with the status of the answer and each part of its body.
    /// - Returns: the status.
    private func perform(_ call: AdminCall, _ take: (Int, [UInt8]) -> Void) async throws -> Int {
        switch way {
        case .gateway(let client):
            do {
                return try client.send(call, take)
            } catch {
                throw fail("the running gateway gave no answer, so it may have done it: \(error)")
            }
        case .store(let api):
            let reply = await api.answer(call)
            switch reply.body {
            case .none: break
            case .bytes(let bytes): take(reply.status, bytes)
            case .slices(let slices): for slice in slices { take(reply.status, slice.array) }
            case .stream(let next):
                do {
                    while let part = try await next() { for slice in part { take(reply.status, slice.array) } }
                } catch {
                    throw fail("\(error)")
                }
            }
            return reply.status
        }
    }

    private static func encoded(_ query: [(String, String?)]) -> String? {
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encoded($0))" } }
        return pairs.isEmpty ? nil : pairs.joined(separator: "&")
    }
}

/// The path of a call, whose interpolated parts are percent-encoded.
struct AdminCallPath: ExpressibleByStringInterpolation {
    /// The path.
    let text: String

    init(stringLiteral text: String) { self.text = "/admin/v1/" + text }

    init(stringInterpolation parts: Parts) { text = "/admin/v1/" + parts.text }

    struct Parts: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ part: String) { text += PercentEncoding.encoded(part) }
    }
}

extension ByteSlice {
    fileprivate var array: [UInt8] {
        // Copied within the closure that lends the bytes.
        unsafe withUnsafeBytes { unsafe Array($0) }
    }
}
