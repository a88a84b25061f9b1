import HTTPServer
import TestKit
import Testing

@testable import Gateway

/// Which pages of which origins may call, and read the answers.
struct CrossOriginTests {
    private static let shop = "https://shop.example"
    private static let asked = "Access-Control-Request-Method: POST"

    private func value(_ name: String, of response: HTTPResponse) -> String? {
        response.headers.first { $0.name == name }?.value
    }

    @Test func `without origins there is no CORS`() {
        #expect(CrossOrigin(origins: []) == nil)
    }

    @Test(
        arguments: [
            ([shop], ["Origin: \(shop)"], shop), ([shop, "http://localhost:3000"], ["origin: \(shop)"], shop),
            ([shop], ["Origin: https://evil.example"], nil), ([shop], ["Origin: null"], nil), ([shop], [], nil),
            ([shop], ["Origin: \(shop)", "Origin: \(shop)"], nil), ([shop], ["Origin: \(shop)/"], nil),
            (["*"], ["Origin: https://any.example"], "*"), (["*"], ["Origin: null"], "*"), (["*"], [], "*"),
            ([shop, "*"], ["Origin: \(shop)"], "*"),
        ] as [([String], [String], String?)])
    func `an answer may be read by pages of allowed origins`(
        origins: [String], fields: [String], allowed: String?
    ) throws {
        let crossOrigin = try #require(CrossOrigin(origins: origins))
        var response = HTTPResponse(status: 200)
        crossOrigin.mark(&response, for: try head("GET", "/", fields).headers)
        #expect(value("Access-Control-Allow-Origin", of: response) == allowed)
        #expect(
            value("Access-Control-Expose-Headers", of: response)?.contains("Retry-After") ?? false == (allowed != nil))
        // A cache must not give one origin's answer to another, even if neither may read it.
        #expect(value("Vary", of: response) == "Origin")
        #expect(value("Access-Control-Allow-Credentials", of: response) == nil)
    }

    @Test(arguments: [([shop], nil), (["*"], "*")] as [([String], String?)])
    func `an answer to a head that could not be read is for any origin or for none`(
        origins: [String], allowed: String?
    ) throws {
        var response = HTTPResponse(status: 400)
        try #require(CrossOrigin(origins: origins)).mark(&response, for: nil)
        #expect(value("Access-Control-Allow-Origin", of: response) == allowed)
        #expect(value("Vary", of: response) == "Origin")
    }

    @Test(arguments: [
        ("OPTIONS", ["Origin: \(shop)", asked], true), ("OPTIONS", ["Origin: \(shop)"], false),
        ("OPTIONS", [asked], false), ("OPTIONS", ["Origin: https://evil.example", asked], false),
        ("OPTIONS", ["Origin: \(shop)", "Origin: \(shop)", asked], false),
        ("GET", ["Origin: \(shop)", asked], false), ("POST", ["Origin: \(shop)", asked], false),
    ])
    func `only a preflight of an allowed origin is answered as one`(
        method: String, fields: [String], isPreflight: Bool
    ) async throws {
        let lines = ["\(method) / HTTP/1.1", "Host: gateway.test", "Content-Length: 0"] + fields + ["", ""]
        let answer = try await exchange(Array(lines.joined(separator: "\r\n").utf8)) { request in
            CrossOrigin(origins: [Self.shop])?.preflight(request, "GET, HEAD, POST", requestID: "r1")
                ?? HTTPResponse(status: 405)
        }
        #expect(answer.status == (isPreflight ? 204 : 405))
        guard isPreflight else { return }
        #expect(answer["X-Request-Id"] == "r1" && answer["Access-Control-Max-Age"] == "7200")
        #expect(answer["Access-Control-Allow-Methods"] == "GET, HEAD, POST")
        #expect(answer["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
    }

    @Test func `with an asterisk, a preflight still needs an origin`() async throws {
        let lines = ["OPTIONS / HTTP/1.1", "Host: gateway.test", Self.asked, "", ""]
        let answer = try await exchange(Array(lines.joined(separator: "\r\n").utf8)) { request in
            CrossOrigin(origins: ["*"])?.preflight(request, "GET, HEAD, POST", requestID: "r1")
                ?? HTTPResponse(status: 405)
        }
        #expect(answer.status == 405)
    }
}
