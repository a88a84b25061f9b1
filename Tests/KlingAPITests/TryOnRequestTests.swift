import Base
import Foundation
import KlingAPI
import Testing

struct TryOnRequestTests {
    @Test func `a create with URLs is sent on with the gateway's values in place of the client's`() async throws {
        let text = create([
            ("model", "\"kolors-virtual-try-on-v1-5\""), ("human_image", urlA), ("external_task_id", "\"mine\""),
            ("cloth_image", urlB), ("callback_url", "\"https://shop.example/hook\""), ("future", "[1, {\"a\":null}]"),
        ])
        let request = try await parse(text)
        #expect(request.model == "kolors-virtual-try-on-v1-5")
        #expect(request.externalTaskID == "mine")
        #expect(request.callbackURL?.host == "shop.example")
        #expect(request.human == .url && request.cloth == .url)
        #expect(request.pictureURL(.human) == "https://cdn.example/a.jpg")
        let slices = request.upstreamBody(externalTaskID: "GW1", callbackURL: "https://gw.example/c")
        #expect(slices.count == 1)
        let expected =
            "{\"model_name\":\"kolors-virtual-try-on-v1-5\",\"external_task_id\":\"GW1\","
            + "\"callback_url\":\"https://gw.example/c\",\"human_image\":\(urlA),\"cloth_image\":\(urlB),"
            + "\"future\":[1, {\"a\":null}]}"
        #expect(String(decoding: joined(slices), as: UTF8.self) == expected)
    }

    @Test(arguments: ["null", "\"\""])
    func `an optional member without a value counts as absent`(none: String) async throws {
        let text = create([
            ("model_name", none), ("model", none), ("callback_url", none), ("external_task_id", none),
            ("human_image", urlA), ("cloth_image", urlB), ("unknown", none),
        ])
        let request = try await parse(text)
        #expect(request.model == TryOnModels.defaultModel)
        #expect(request.externalTaskID == nil && request.callbackURL == nil)
        let sent = try await upstream(text)
        #expect(Set(sent.keys) == ["model_name", "external_task_id", "human_image", "cloth_image", "unknown"])
    }

    @Test func `the alias counts only if the name is absent`() async throws {
        let pictures = [("human_image", urlA), ("cloth_image", urlB)]
        let both = [("model_name", "\"kolors-virtual-try-on-v1\""), ("model", "\"gpt\"")] + pictures
        #expect(try await parse(create(both)).model == "kolors-virtual-try-on-v1")
        #expect(await failure(create([("model", "\"gpt\"")] + pictures))?.parameter == "model")
        let added = TryOnModels(adding: ["new-model"])
        #expect(
            try await parse(create([("model", "\"new\\u002dmodel\"")] + pictures), models: added).model == "new-model")
    }

    @Test func `a stand-in's name gets the model that it stands for`() async throws {
        let pictures = [("human_image", urlA), ("cloth_image", urlB)]
        let models = TryOnModels(adding: ["new-model"], standIns: [("gpt-image-1", "new-model")])
        for name in [#""gpt-image-1""#, #""gpt\u002dimage-1""#] {
            let request = try await parse(create([("model", name)] + pictures), models: models)
            #expect(request.model == "new-model")
            let slices = request.upstreamBody(externalTaskID: "a", callbackURL: nil)
            let body = String(decoding: joined(slices), as: UTF8.self)
            #expect(body.contains(#""model_name":"new-model""#) && !body.contains("gpt"), "\(body)")
        }
        #expect(models.names.last == "gpt-image-1")
    }

    @Test(
        arguments: [
            ("[1]", 1200, nil), ("", 1200, nil), ("\u{FEFF}[]", 1200, nil), ("{}", 1201, "human_image"),
            ("{\"human_image\":\"https://a/b\"}", 1201, "cloth_image"),
            ("{\"human_image\":\"https://a/b\",\"human\\u005fimage\":\"https://a/c\"}", 1200, nil),
            ("{\"human_image\":5}", 1200, "human_image"), ("{\"human_image\":null}", 1201, "human_image"),
            ("{\"human_image\":\"https://\"}", 1201, "human_image"),
            ("{\"human_image\":\"ftp://a/b\"}", 1201, "human_image"),
            ("{\"human_image\":\"data:image/png,abc\"}", 1201, "human_image"),
            ("{\"model_name\":7}", 1200, "model_name"), ("{\"model_name\":\"x\"}", 1201, "model_name"),
            ("{\"external_task_id\":7}", 1200, "external_task_id"),
            ("{\"external_task_id\":\"a\\u0000b\"}", 1201, "external_task_id"),
            ("{\"external_task_id\":\"a\\u0085b\"}", 1201, "external_task_id"),
            ("{\"callback_url\":\"ftp://a/b\"}", 1201, "callback_url"),
            ("{\"callback_url\":\"https://u:p@a/b\"}", 1201, "callback_url"),
            ("{\"callback_url\":\"https://a/b#c\"}", 1201, "callback_url"),
            ("{\"callback_url\":[]}", 1200, "callback_url"),
        ] as [(String, Int, String?)])
    func `a bad member is refused, naming it`(body: String, code: Int, parameter: String?) async {
        let error = await failure(body)
        #expect(error?.code.rawValue == code)
        #expect(error?.parameter == parameter)
    }

    @Test func `an external id may have at most 256 bytes`() async throws {
        let pictures = [("human_image", urlA), ("cloth_image", urlB)]
        let id = String(repeating: "é", count: 128)
        #expect(try await parse(create([("external_task_id", "\"\(id)\"")] + pictures)).externalTaskID == id)
        let error = await failure(create([("external_task_id", "\"\(id)x\"")] + pictures))
        #expect(error?.message.contains("257 bytes") == true)
    }

    @Test func `a message repeats only a little of what was sent`() async {
        let long = String(repeating: "z\\u001b", count: 5000)
        let error = await failure(create([("model_name", "\"\(long)\"")]))
        #expect((error?.message.utf8.count ?? 0) < 300)
        #expect(error?.message.utf8.allSatisfy { (0x20...0x7E).contains($0) } == true)
    }

    @Test func `unknown members pass through byte for byte, wherever they are`() async throws {
        let odd = "{ \"n\" : 1.50E+1 , \"n\" : \"\\u00e9\\/\" }"
        let texts = [
            "{\"x\": \(odd) ,\"human_image\":\(urlA),\"cloth_image\":\(urlB)}",
            " { \"model\":null , \"human_image\" : \(urlA) ,\"x\": \(odd),\"cloth_image\":\(urlB), \"callback_url\":\"\" } ",
        ]
        for text in texts {
            let body = joined(try await parse(text).upstreamBody(externalTaskID: "GW", callbackURL: nil))
            #expect(String(decoding: body, as: UTF8.self).contains(odd))
            #expect(throws: Never.self) { try members(body) }
        }
    }

    @Test func `a large body is a list of slices of the client's block`() async throws {
        let picture = Samples.base64(Samples.jpeg(tail: 2_000_000))
        let text = create([
            ("human_image", "\"\(picture)\""), ("external_task_id", "\"mine\""),
            ("cloth_image", "\"data:image/jpeg;base64,\(picture)\""), ("x", "1"),
        ])
        let block = Bytes(text.utf8)
        let request = try await TryOnRequest.parse(block)
        let slices = request.upstreamBody(externalTaskID: "GW", callbackURL: nil)
        #expect(slices.filter { $0.bytes !== block }.reduce(0) { $0 + $1.count } < 200)
        #expect(slices.count <= 7)
        let sent = try members(joined(slices))
        #expect(sent["human_image"] as? String == picture)
        #expect(sent["cloth_image"] as? String == picture)
        #expect(sent["x"] as? Int == 1)
        #expect(sent["external_task_id"] as? String == "GW")
    }

    @Test(arguments: [100, 40_000])
    func `the gateway can send its own picture instead`(size: Int) async throws {
        let own = Samples.base64(Samples.png(tail: size))
        let request = try await parse(create([("cloth_image", urlB), ("human_image", urlA)]))
        let slices = request.upstreamBody(
            externalTaskID: "GW", callbackURL: nil, replacements: .init(human: ByteSlice(copying: own)))
        let sent = try members(joined(slices))
        #expect(sent["human_image"] as? String == own)
        #expect(sent["cloth_image"] as? String == "https://cdn.example/b.jpg")
    }

    @Test(arguments: [
        ("person_image_url", "human_image"), ("person_image", "human_image"), ("garment_image", "cloth_image"),
        ("cloth_image_url", "cloth_image"), ("webhook_url", "callback_url"), ("webhook", "callback_url"),
    ])
    func `the error for a commonly misnamed member gives the right name`(wrong: String, right: String) async throws {
        let others = [("human_image", urlA), ("cloth_image", urlB)].filter { $0.0 != right }
        let error = try #require(await failure(create(others + [(wrong, urlA)])))
        #expect(error.parameter == right)
        #expect(error.message.hasPrefix("\(right) is missing. Rename \(wrong) to \(right)"))
        let all = [("human_image", urlA), ("cloth_image", urlB), ("callback_url", urlA), (wrong, urlA)]
        #expect(await failure(create(all)) == nil)
    }

    @Test(arguments: [
        ("kolors-virtual-try-on", "kolors-virtual-try-on-v1-5"),
        ("Kolors-Virtual-Try-On-V1", "kolors-virtual-try-on-v1"),
        ("kolors-virtual-try-on-v1.5", "kolors-virtual-try-on-v1-5"),
        ("kolors_virtual_tryon", "kolors-virtual-try-on-v1-5"),
        ("sora", nil), ("", nil),
    ])
    func `the error for a misspelled model suggests the right one`(name: String, model: String?) {
        #expect(TryOnModels.documented.suggestion(for: name) == (model.map { " Did you mean \($0)?" } ?? ""))
    }

    @Test func `half a surrogate pair is refused only in members that are read`() async {
        let pictures = [("human_image", urlA), ("cloth_image", urlB)]
        #expect(await failure(create(pictures + [("note", #""\ud800""#)])) == nil)
        #expect(await failure(create(pictures + [("external_task_id", #""\ud800""#)]))?.parameter == "external_task_id")
        let link = await failure(create([("human_image", #""https://a.test/\ud800.png""#), ("cloth_image", urlB)]))
        #expect(link?.message == "human_image \(ParameterError.loneSurrogate)")
    }
}
