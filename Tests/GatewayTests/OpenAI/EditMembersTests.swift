import Base
import KlingAPI
import Testing

@testable import Gateway

struct EditMembersTests {
    private func members(_ json: String) async throws(GatewayError) -> EditMembers {
        try await EditMembers(json: Bytes(json.utf8))
    }

    private func edit(_ json: String) async throws(GatewayError) -> ImageEdit {
        try ImageEdit(try await members(json), models: .documented)
    }

    /// A picture's URL, or its text as it is in the body.
    private func shown(_ content: GivenPicture.Content) -> String {
        switch content {
        case .url(let text): text
        case .file(let slice), .base64(let slice):
            // The slice lends its bytes for the length of the call.
            unsafe slice.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test func `pictures keep their order in every notation`() async throws {
        let members = try await members(
            #"{"prompt":["ignored"],"images":["HTTPS:\/\/a",{"image_url":"data:,x"},{"image_url":{"url":"b64"}}]}"#)
        #expect(members.pictures.map { shown($0.content) } == ["https://a", "data:,x", "b64"])
        #expect(members.pictures.allSatisfy { $0.name == .images })
    }

    @Test(arguments: [
        (#"{"url":"https://a","type":"url"}"#, "https://a"), (#"{"b64_json":"b64"}"#, "b64"),
        (#"{"type":"image_url","image_url":null,"url":"data:,x"}"#, "data:,x"),
        (#"{"b64_json":"b64","url":""}"#, "b64"), (#"{"type":"input_image","image_url":"https://a"}"#, "https://a"),
    ])
    func `a picture is an object in each of the usual forms`(object: String, text: String) async throws {
        for json in [#"{"image":\#(object)}"#, #"{"image":[\#(object)]}"#] {
            #expect(try await members(json).pictures.map { shown($0.content) } == [text])
        }
    }

    @Test func `form parts named as list elements are pictures, and other nested names are ignored`() async throws {
        let fields = [
            ("image[]", "https://a"), ("image", "b64"), ("model[x]", "y"), ("image[7]", "c"), ("[image]", "d"),
            ("user", "undefined"), ("callback_url", "null"),
        ]
        let body =
            fields.map { "--B\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }.joined() + "--B--"
        let form = try await FormData.parse(Bytes(body.utf8), contentType: "multipart/form-data; boundary=B")
        let members = try EditMembers(form: form)
        #expect(members.pictures.map { shown($0.content) } == ["https://a", "b64", "c"])
        #expect(members[.model] == nil && members[.user] == nil && members[.callbackURL] == nil)
    }

    @Test func `omitted members have their defaults`() async throws {
        let edit = try await edit(#"{"image":["https://a","https://b"],"n":null,"model":"","user":null}"#)
        #expect(edit.model == "kolors-virtual-try-on-v1-5" && edit.count == 1)
        #expect(edit.user == nil && edit.externalTaskID == nil && edit.callbackURL == nil)
        #expect((edit.human.field) == "image[0]")
        #expect(try ImageEdit.ResultFormat(EditMembers(form: FormData(parts: []))) == .both)
    }

    @Test(arguments: [2, 4, 1000, 300_000])
    func `a list that is too long or too deep is refused`(count: Int) async {
        let list = Array(repeating: count == 2 ? #"{"image_url":[[[0]]]}"# : "0", count: count).joined(separator: ",")
        let error = await #expect(throws: GatewayError.self) { try await members(#"{"image":[\#(list)]}"#) }
        #expect(error?.parameter == "image")
    }

    @Test(arguments: [
        #"{"image":["https://a","https://b"],"user":"\#(String(repeating: "u", count: 513))"}"#,
        #"{"image":["https://a","https://b"],"model":1}"#, #"{"image":["https://a"],"n":0}"#, #"["https://a"]"#,
        #"{"image":["https://a","https://b","https://c"],"model":"kolors-virtual-try-on-v1"}"#, "", "{}",
        #"{"image":{"file_id":"f"}}"#, #"{"image":"https://a","image":"https://b"}"#,
    ])
    func `an invalid edit is refused`(json: String) async {
        await #expect(throws: GatewayError.self) { try await edit(json) }
    }

    @Test func `the stored record of an edit has what useapi's clients read of a job`() async throws {
        let record = try await edit(#"{"image":["https://a","b64"],"n":2,"user":"u \"1\""}"#).record
        let object = try #require(JSONObject(record))
        #expect(object.string("type") == "mmu_img2img_aitryon")
        #expect(object.array("inputs")?.count == 2)
        #expect(object.object("extraArgs")?.string("user") == "u \"1\"")
        #expect(!String(decoding: record, as: UTF8.self).contains("b64"))
    }
}
