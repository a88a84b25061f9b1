import Base
import Foundation
import KlingAPI
import Testing

/// Pictures with a header and nothing else.
enum Samples {
    static func png(width: Int = 300, height: Int = 300, tail: Int = 20) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
            + bigEndian(width, 4) + bigEndian(height, 4) + noise(tail)
    }

    /// - Parameter segments: the lengths of the application segments before the frame header.
    static func jpeg(width: Int = 300, height: Int = 300, segments: [Int] = [16], tail: Int = 20) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0xD8]
        for length in segments { bytes += [0xFF, 0xE2] + bigEndian(length, 2) + noise(length - 2) }
        bytes += [0xFF, 0xFF, 0xC0, 0, 17, 8] + bigEndian(height, 2) + bigEndian(width, 2) + noise(tail)
        return bytes
    }

    static func bigEndian(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(value >> (8 * (width - 1 - $0)) & 0xFF) }
    }

    /// Bytes whose base64 contains every letter.
    static func noise(_ count: Int) -> [UInt8] {
        var state: UInt32 = 12345
        return (0..<max(count, 0)).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
    }

    static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}

/// A create with these members, given as JSON values.
func create(_ members: [(String, String)]) -> String {
    "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
}

let urlA = "\"https://cdn.example/a.jpg\""
let urlB = "\"https://cdn.example/b.jpg\""

/// Parses a create in both ways, which must agree: a short one with links is also read at once.
func parse(_ text: String, models: TryOnModels = .documented) async throws(ParameterError) -> TryOnRequest {
    let atOnce = Result { () throws(ParameterError) in
        try TryOnRequest.parsedAtOnce(Bytes(text.utf8), models: models)
    }
    do throws(ParameterError) {
        let request = try await TryOnRequest.parse(Bytes(text.utf8), models: models)
        if let other = try atOnce.get() {
            #expect(sent(other) == sent(request) && other.externalTaskID == request.externalTaskID)
        }
        return request
    } catch {
        if case .success(let other?) = atOnce { Issue.record("read at once: \(sent(other))") }
        if case .failure(let other) = atOnce { #expect(other == error) }
        throw error
    }
}

private func sent(_ request: TryOnRequest) -> String {
    let slices = request.upstreamBody(externalTaskID: "id", callbackURL: request.callbackURL?.text)
    return String(decoding: joined(slices), as: UTF8.self)
}

func failure(_ text: String) async -> ParameterError? {
    do {
        _ = try await parse(text)
        return nil
    } catch {
        return error
    }
}

func joined(_ slices: [ByteSlice]) -> [UInt8] {
    slices.flatMap { slice in unsafe slice.withUnsafeBytes { unsafe Array($0) } }
}

/// The members that another JSON parser finds.
func members(_ json: [UInt8]) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any] ?? [:]
}

func upstream(_ text: String, callback: String? = nil) async throws -> [String: Any] {
    try members(joined(try await parse(text).upstreamBody(externalTaskID: "GW1", callbackURL: callback)))
}
