import Base
import KlingAPI
import Testing

@testable import Gateway

struct UseapiRequestTests {
    static let human = #""humanImage":"https://example.com/person.jpg""#
    static let dress = #""dressInput":"https://example.com/dress.jpg""#
    static let upper = #""upperInput":"https://example.com/shirt.jpg""#
    static let lower = #""lowerInput":"https://example.com/trousers.jpg""#

    private func read(_ members: String...) async throws(GatewayError) -> UseapiRequest {
        try await read(json: "{\(members.joined(separator: ","))}")
    }

    private func read(json: String) async throws(GatewayError) -> UseapiRequest {
        try UseapiRequest(try await UseapiMembers(json: Bytes(Array(json.utf8))), models: .documented)
    }

    private func url(_ picture: GivenPicture) -> String? {
        if case .url(let text) = picture.content { text } else { nil }
    }

    @Test func `parses the example of useapi's documentation`() async throws {
        let request = try await read(
            json: """
                {
                  "email": "[email protected]",
                  "humanImage": "https://example.com/person.jpg",
                  "dressInput": "https://example.com/dress.jpg",
                  "imageCount": 2,
                  "replyUrl": "https://your-callback-url.com/webhook",
                  "replyRef": "your-reference-id"
                }
                """)
        #expect(request.email == "[email protected]")
        #expect(request.pictures.map(\.field) == ["humanImage", "dressInput"])
        #expect(request.pictures.map(url) == ["https://example.com/person.jpg", "https://example.com/dress.jpg"])
        #expect(request.imageCount == 2)
        #expect(request.replyURL?.text == "https://your-callback-url.com/webhook")
        #expect(request.replyRef == "your-reference-id")
        #expect(request.maxJobs == nil)
        #expect(request.model == "kolors-virtual-try-on-v1-5")
    }

    @Test(arguments: [
        ([dress], ["dressInput"]), ([upper], ["upperInput"]), ([lower], ["lowerInput"]),
        ([lower, upper], ["upperInput", "lowerInput"]),
        ([#""upperInput":null"#, #""lowerInput":"""#, dress], ["dressInput"]),
    ])
    func `accepts one garment, or an upper and a lower one`(garments: [String], fields: [String]) async throws {
        let request = try await read(json: "{\(([Self.human] + garments).joined(separator: ","))}")
        #expect(request.pictures.map(\.field) == ["humanImage"] + fields)
        #expect(request.imageCount == 1)
    }

    /// A body, the member that the error names, and how its message begins.
    static let refused: [(body: String, parameter: String?, message: String)] = [
        ("", nil, "The body is not valid JSON"),
        ("[]", nil, "The body is an array; send a JSON object."),
        ("{\(human),\(human),\(dress)}", nil, "The body is not valid JSON"),
        ("{\(dress)}", "humanImage", "humanImage is required."),
        (#"{"humanImage":"",\#(dress)}"#, "humanImage", "humanImage is required."),
        (#"{"humanImage":17,\#(dress)}"#, "humanImage", "humanImage is a number; send an http(s) URL."),
        (#"{"humanImage":{},\#(dress)}"#, "humanImage", "humanImage is an object; send an http(s) URL."),
        (
            "{\(human)}", "dressInput",
            "At least one of dressInput, upperInput or lowerInput must be provided"
        ),
        ("{\(human),\(dress),\(upper)}", "dressInput", "dressInput is incompatible with upperInput and lowerInput."),
        ("{\(human),\(dress),\(lower)}", "dressInput", "dressInput is incompatible with upperInput and lowerInput."),
        ("{\(human),\(dress),\(upper),\(lower)}", "dressInput", "dressInput is incompatible with upperInput"),
        ("{\(human),\(dress),\"imageCount\":0}", "imageCount", "imageCount must be a whole number from 1 to 4."),
        ("{\(human),\(dress),\"imageCount\":5}", "imageCount", "imageCount must be a whole number from 1 to 4."),
        ("{\(human),\(dress),\"imageCount\":-1}", "imageCount", "imageCount must be a whole number from 1 to 4."),
        ("{\(human),\(dress),\"imageCount\":1.5}", "imageCount", "imageCount must be a whole number from 1 to 4."),
        ("{\(human),\(dress),\"imageCount\":\"two\"}", "imageCount", "imageCount must be a whole number from 1 to 4."),
        ("{\(human),\(dress),\"imageCount\":[1]}", "imageCount", "imageCount is an array; send a number."),
        ("{\(human),\(dress),\"maxJobs\":0}", "maxJobs", "maxJobs must be a whole number from 1 to 50."),
        ("{\(human),\(dress),\"maxJobs\":51}", "maxJobs", "maxJobs must be a whole number from 1 to 50."),
        ("{\(human),\(dress),\"replyUrl\":\"ftp://a.example\"}", "replyUrl", "replyUrl must be an absolute URL"),
        ("{\(human),\(dress),\"replyUrl\":\"https://u:p@a.example\"}", "replyUrl", "replyUrl has a user name"),
        ("{\(human),\(dress),\"replyUrl\":true}", "replyUrl", "replyUrl is a Boolean; send a string."),
        ("{\(human),\(dress),\"replyRef\":7}", "replyRef", "replyRef is a number; send a string."),
        ("{\(human),\(dress),\"email\":[]}", "email", "email is an array; send a string."),
        (
            "{\(human),\(dress),\"model\":\"sora\"}", "model",
            "model is not a virtual try-on model. Send one of: kolors"
        ),
        (
            "{\(human),\(upper),\(lower),\"model\":\"kolors-virtual-try-on-v1\"}", "model",
            "model kolors-virtual-try-on-v1 takes one garment."
        ),
    ]

    @Test(arguments: refused)
    func `an invalid body is refused, naming the member`(
        body: String, parameter: String?, message: String
    ) async throws {
        let error = try #require(await #expect(throws: GatewayError.self) { try await read(json: body) })
        #expect(error.parameter == parameter)
        #expect(error.message.hasPrefix(message), "\(error.message)")
        #expect(error.cause.row.status == 400)
    }

    @Test(arguments: ["replyUrl", "replyRef", "email", "humanImage"])
    func `a text that is too long is refused`(member: String) async throws {
        for count in [9_000, 20_000] {
            let long = "\"\(member)\":\"https://example.com/\(String(repeating: "a", count: count))\""
            let others = member == "humanImage" ? Self.dress : "\(Self.human),\(Self.dress)"
            let error = try? await read(json: "{\(others),\(long)}")
            // A long picture may be base64, which is checked later.
            #expect((error == nil) == (member != "humanImage" || count < 10_000))
        }
    }

    @Test func `unknown members are ignored, and null is the same as absent`() async throws {
        let request = try await read(
            Self.human, Self.dress, #""captchaToken":{"a":[1]}"#, #""replyUrl":null"#, #""imageCount":null"#,
            #""model":"kolors-virtual-try-on-v1""#)
        #expect(request.replyURL == nil)
        #expect(request.imageCount == 1)
        #expect(request.model == "kolors-virtual-try-on-v1")
    }

    @Test func `JSON escapes are decoded in URLs and in base64`() async throws {
        let request = try await read(
            #""humanImage":"https:\/\/example.com\/p.jpg""#, #""dressInput":"data:image\/jpeg;base64,\/9j\u002B""#)
        #expect(url(request.human) == "https://example.com/p.jpg")
        guard case .one(let dress) = request.garment, case .base64(let text) = dress.content else {
            Issue.record("no base64")
            return
        }
        #expect(text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == "data:image/jpeg;base64,/9j+")
    }

    @Test func `a form is read like JSON`() throws {
        var members = UseapiMembers()
        for (name, text) in [
            ("humanImage", "https://example.com/p.jpg"), ("imageCount", "3"), ("maxJobs", "50"), ("replyRef", ""),
            ("other", "x"), ("lowerInput", ""), ("email", "undefined"), ("replyUrl", "null"),
        ] {
            try members.add(name, text: ByteSlice(copying: text))
        }
        try members.add("upperInput", file: ByteSlice(copying: "\u{1}\u{2}"))
        let request = try UseapiRequest(members, models: .documented)
        #expect((request.imageCount, request.maxJobs) == (3, 50))
        #expect(request.replyRef == nil && request.email == nil && request.replyURL == nil)
        guard case .one(let garment) = request.garment, case .file(let file) = garment.content else {
            Issue.record("no file")
            return
        }
        #expect(garment.field == "upperInput" && file.count == 2)
    }

    @Test func `a form's long base64 may have line breaks, and its texts may be in Latin-1`() async throws {
        let lines = String(repeating: String(repeating: "A", count: 76) + "\r\n", count: 300)
        var members = UseapiMembers()
        try members.add("dressInput", text: ByteSlice(copying: lines))
        try members.add("replyRef", text: ByteSlice(Bytes([0xE9]), 0..<1), .windows1252)
        try members.add("humanImage", text: ByteSlice(copying: "https://example.com/p.jpg"))
        let request = try UseapiRequest(members, models: .documented)
        #expect(request.replyRef == "\u{E9}")
        guard case .one(let garment) = request.garment, case .base64(let text) = garment.content else {
            Issue.record("no base64")
            return
        }
        #expect(text.count == lines.utf8.count)
    }

    @Test func `a form's member that is repeated, too long or not text is refused`() throws {
        var members = UseapiMembers()
        try members.add("humanImage", text: ByteSlice(copying: "https://example.com/p.jpg"))
        #expect(throws: GatewayError.self) { try members.add("humanImage", file: ByteSlice(copying: "x")) }
        #expect(throws: GatewayError.self) { try members.add("replyRef", text: ByteSlice(Bytes([0xFF, 0xFE]), 0..<2)) }
        let long = String(repeating: "\"", count: UseapiMembers.longestText + 1)
        #expect(throws: GatewayError.self) { try members.add("dressInput", text: ByteSlice(copying: long)) }
        #expect(throws: GatewayError.self) {
            var members = members
            try members.add("dressInput", text: ByteSlice(copying: "https://example.com/d.jpg"))
            try members.add("email", file: ByteSlice(copying: "x"))
            _ = try UseapiRequest(members, models: .documented)
        }
    }
}
