import Base
import Foundation
import KlingAPI
import Testing

struct SolutionsCreateTests {
    private static let person = #"{"type":"person_image","url":"https://cdn.example/a.jpg"}"#
    private static let product = #"{"type":"product_image","url":"https://cdn.example/b.jpg"}"#

    private func request(_ body: String) async throws(ParameterError) -> TryOnRequest {
        try await TryOnRequest.parse(solutions: Bytes(body.utf8))
    }

    private func body(_ rest: String) -> String { "{\"contents\":[\(Self.product),\(Self.person)]\(rest)}" }

    private func fault(_ body: String) async -> ParameterError? {
        do {
            _ = try await request(body)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Settings in the older shape

    @Test(arguments: [
        ("", TryOnSettings()), (#","keep_face":false"#, TryOnSettings(keepFace: false)),
        (#","keep_pose":false,"keep_background":true"#, TryOnSettings(keepPose: false)),
        (#","keep_background":false,"keep_face":null,"keep_pose":"""#, TryOnSettings(keepBackground: false)),
        (#","watermark":true"#, TryOnSettings(watermark: true)),
        (#","watermark":{"enabled":true,"x":1}"#, TryOnSettings(watermark: true)),
        (#","watermark":{"\u0065nabled":true}"#, TryOnSettings(watermark: true)),
        (#","watermark":{"enabled":false}"#, TryOnSettings()), (#","watermark":{}"#, TryOnSettings()),
        (#","watermark":{"enabled":null}"#, TryOnSettings()), (#","watermark":null"#, TryOnSettings()),
    ])
    func `settings are read, and default settings are not sent on in the older shape`(
        members: String, settings: TryOnSettings
    ) async throws {
        let text = "{\"human_image\":\(urlA),\"cloth_image\":\(urlB)\(members),\"future\":1}"
        let request = try await parse(text)
        #expect(request.settings == settings)
        #expect(request.settings.isDefault == request.settings.nonDefaultNames.isEmpty)
        let sent = try await upstream(text)
        let own: Set = ["keep_face", "keep_pose", "keep_background", "watermark"]
        #expect(
            Set(sent.keys).subtracting(own) == [
                "model_name", "external_task_id", "human_image", "cloth_image", "future",
            ])
        #expect(settings.isDefault == own.isDisjoint(with: sent.keys))
    }

    @Test func `settings that differ from the default are listed`() {
        let all = TryOnSettings(keepFace: false, keepPose: false, keepBackground: false, watermark: true)
        #expect(all.nonDefaultNames == ["keep_face", "keep_pose", "keep_background", "watermark"])
        #expect(TryOnSettings().isDefault && !all.isDefault)
    }

    @Test(arguments: [
        (#""keep_face":"true""#, "keep_face"), (#""keep_face":1"#, "keep_face"), (#""keep_pose":{}"#, "keep_pose"),
        (#""keep_background":[true]"#, "keep_background"), (#""watermark":"yes""#, "watermark"),
        (#""watermark":1"#, "watermark"), (#""watermark":{"enabled":"true"}"#, "watermark.enabled"),
        (#""watermark":{"enabled":0}"#, "watermark.enabled"),
    ])
    func `a setting of the wrong type is refused, naming it`(member: String, parameter: String) async {
        let error = await failure("{\(member),\"human_image\":\(urlA),\"cloth_image\":\(urlB)}")
        #expect(error?.code == .invalidRequest && error?.parameter == parameter)
        #expect(error?.message.hasPrefix(parameter + " is ") == true && error?.message.contains("send true") == true)
    }

    @Test func `a watermark that contradicts itself is refused`() async {
        let error = await failure(
            "{\"watermark\":{\"enabled\":true,\"enabled\":false},\"human_image\":\(urlA),\"cloth_image\":\(urlB)}")
        #expect(error?.code == .invalidRequest)
    }

    @Test(arguments: ["model_name", "model"])
    func `the newer shape's model is sent to an older account as its newest model`(name: String) async throws {
        let text = create([(name, "\"virtual_try_on\""), ("human_image", urlA), ("cloth_image", urlB)])
        #expect(try await parse(text).model == Solutions.model)
        #expect(try await upstream(text)["model_name"] as? String == TryOnModels.newestModel)
        #expect(TryOnModels.documented.names.contains(Solutions.model))
    }

    // MARK: To Kling

    @Test func `a body for Kling has only the documented members`() async throws {
        let text = create([
            ("human_image", urlA), ("cloth_image", urlB), ("future", "1"), ("callback_url", "\"https://shop.example\""),
            ("keep_pose", "false"), ("watermark", "true"), ("model", "\"kolors-virtual-try-on-v1\""),
        ])
        let sent = try await parse(text).solutionsBody(
            externalTaskID: "GW", callbackURL: "https://gw.example/c", humanURL: "https://p/h\"",
            clothURL: "https://p/c")
        #expect(
            String(decoding: sent, as: UTF8.self)
                == #"{"contents":[{"type":"person_image","url":"https://p/h\""},{"type":"product_image","url":"https://p/c"}],"#
                + #""settings":{"keep_face":true,"keep_pose":false,"keep_background":true},"#
                + #""options":{"external_task_id":"GW","callback_url":"https://gw.example/c","watermark":{"enabled":true}}}"#
        )
        let plain = try await parse(create([("human_image", urlA), ("cloth_image", urlB)])).solutionsBody(
            externalTaskID: "GW", callbackURL: nil, humanURL: "https://p/h", clothURL: "https://p/c")
        #expect(String(decoding: plain, as: UTF8.self).hasSuffix(#""options":{"external_task_id":"GW"}}"#))
    }

    // MARK: From clients

    @Test func `a create of the newer shape is read`() async throws {
        let rest =
            #","settings":{"keep_face":false,"keep_pose":true,"x":1},"options":{"callback_url":"https://shop.example/k","#
            + #""external_task_id":"order \u00e9","watermark":{"enabled":true}},"model":7,"unknown":{"a":[1]}"#
        let request = try await request(body(rest))
        #expect(request.model == TryOnModels.defaultModel)
        #expect(request.pictureURL(.human) == "https://cdn.example/a.jpg")
        #expect(request.pictureURL(.cloth) == "https://cdn.example/b.jpg")
        #expect(request.externalTaskID == "order é" && request.callbackURL?.host == "shop.example")
        #expect(request.settings == TryOnSettings(keepFace: false, watermark: true))
        let sent = try members(joined(request.upstreamBody(externalTaskID: "GW", callbackURL: nil)))
        #expect(
            Set(sent.keys) == [
                "model_name", "external_task_id", "human_image", "cloth_image", "keep_face", "keep_pose", "watermark",
            ])
    }

    @Test(arguments: [
        "", #","settings":null,"options":null"#, #","settings":{},"options":{}"#,
        #","settings":{"keep_face":null},"options":{"callback_url":"","external_task_id":null,"watermark":null}"#,
        #","options":{"watermark":{}}"#,
    ])
    func `optional members may be left out`(rest: String) async throws {
        let request = try await request(body(rest))
        #expect(request.settings.isDefault && request.externalTaskID == nil && request.callbackURL == nil)
    }

    @Test func `a body for Kling is read back as the same create`() async throws {
        let first = try await request(
            body(#","settings":{"keep_background":false},"options":{"watermark":{"enabled":true}}"#))
        let sent = first.solutionsBody(
            externalTaskID: "GW", callbackURL: "https://gw.example/c", humanURL: "https://p/h", clothURL: "https://p/c")
        let again = try await TryOnRequest.parse(solutions: Bytes(sent))
        #expect(again.settings == first.settings && again.externalTaskID == "GW")
        #expect(again.callbackURL?.text == "https://gw.example/c" && again.pictureURL(.human) == "https://p/h")
    }

    @Test(
        arguments: [
            ("", 1200, nil), ("[1]", 1200, nil), ("{", 1200, nil), ("{}", 1201, "contents"),
            (#"{"contents":null}"#, 1201, "contents"), (#"{"contents":{}}"#, 1200, "contents"),
            (#"{"contents":[]}"#, 1201, "contents"), ("{\"contents\":[\(person)]}", 1201, "contents"),
            (#"{"contents":[7]}"#, 1200, "contents[0]"), ("{\"contents\":[\(person),null]}", 1200, "contents[1]"),
            ("{\"contents\":[\(person),\(person)]}", 1201, "contents[1].type"),
            ("{\"contents\":[\(person),\(product),\(product)]}", 1201, "contents[2].type"),
            (#"{"contents":[{}]}"#, 1201, "contents[0].type"),
            (#"{"contents":[{"type":1}]}"#, 1200, "contents[0].type"),
            (#"{"contents":[{"type":"shoe_image","url":"https://a/b"}]}"#, 1201, "contents[0].type"),
            (#"{"contents":[{"type":"person_image"}]}"#, 1201, "contents[0].url"),
            (#"{"contents":[{"type":"person_image","url":""}]}"#, 1201, "contents[0].url"),
            (#"{"contents":[{"type":"person_image","url":["https://a/b"]}]}"#, 1200, "contents[0].url"),
            (#"{"contents":[{"type":"person_image","url":"ftp://a/b"}]}"#, 1201, "contents[0].url"),
            (#"{"contents":[{"type":"person_image","url":"/9j/4AAQSkZJRg"}]}"#, 1201, "contents[0].url"),
            (#"{"contents":[{"type":"person_image","url":"https://a/b","url":"https://a/c"}]}"#, 1200, nil),
            ("{\"contents\":[\(person),{\"type\":\"product_image\",\"url\":\"https://\"}]}", 1201, "contents[1].url"),
        ] as [(String, Int, String?)])
    func `bad contents are refused, giving their path`(body: String, code: Int, parameter: String?) async {
        let error = await fault(body)
        #expect(error?.code.rawValue == code && error?.parameter == parameter)
        if let parameter { #expect(error?.message.hasPrefix(parameter + " ") == true) }
    }

    @Test(
        arguments: [
            (#""settings":[]"#, 1200, "settings"), (#""settings":{"keep_face":"no"}"#, 1200, "settings.keep_face"),
            (#""settings":{"keep_pose":0}"#, 1200, "settings.keep_pose"),
            (#""settings":{"keep_background":[]}"#, 1200, "settings.keep_background"),
            (#""options":true"#, 1200, "options"), (#""options":{"watermark":true}"#, 1200, "options.watermark"),
            (#""options":{"watermark":{"enabled":"x"}}"#, 1200, "options.watermark.enabled"),
            (#""options":{"callback_url":"ftp://a/b"}"#, 1201, "options.callback_url"),
            (#""options":{"callback_url":1}"#, 1200, "options.callback_url"),
            (#""options":{"external_task_id":5}"#, 1200, "options.external_task_id"),
            (#""options":{"external_task_id":"a\u0000b"}"#, 1201, "options.external_task_id"),
            (
                #""options":{"external_task_id":"\#(String(repeating: "x", count: 257))"}"#, 1201,
                "options.external_task_id"
            ),
            (#""options":{"watermark":{"enabled":true,"enabled":true}}"#, 1200, nil),
            (#""options":{},"options":{}"#, 1200, nil),
        ] as [(String, Int, String?)])
    func `a bad setting or option is refused, giving its path`(member: String, code: Int, parameter: String?) async {
        let error = await fault(body("," + member))
        #expect(error?.code.rawValue == code && error?.parameter == parameter)
        if let parameter { #expect(error?.message.hasPrefix(parameter + " ") == true) }
    }

    @Test func `a body as large as a picture is refused with the advice to send a URL`() async {
        let url = "https://a/" + String(repeating: "x", count: Solutions.maxBodyBytes)
        let error = await fault("{\"contents\":[{\"type\":\"person_image\",\"url\":\"\(url)\"}]}")
        #expect(error?.code == .invalidRequest && error?.message.contains("http(s) URLs") == true)
    }

    @Test func `bodies that are nested too deeply are refused`() async {
        let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
        #expect(await fault(body(",\"x\":\(deep)"))?.code == .invalidRequest)
        #expect(await fault(body(",\"options\":{\"watermark\":{\"enabled\":\(deep)}}"))?.code == .invalidRequest)
    }
}
