import KlingAPI
import KlingSimulator
import Testing

struct CreateCheckTests {
    /// A JPEG of this size, with `padding` bytes of other segments before its frame header.
    private static func jpeg(_ width: Int, _ height: Int, padding: Int = 0) -> [UInt8] {
        var file: [UInt8] = [0xFF, 0xD8]
        var rest = padding
        while rest > 0 {
            let count = min(rest, 65_000)
            file +=
                [0xFF, 0xE1, UInt8((count + 2) >> 8), UInt8((count + 2) & 255)] + [UInt8](repeating: 7, count: count)
            rest -= count
        }
        file += [0xFF, 0xC0, 0, 17, 8, UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)]
        return file + [UInt8](repeating: 0, count: 20)
    }

    private static func text(_ file: [UInt8]) -> String { "\"\(Base64.encode(file))\"" }

    private static let refused: [(member: String, value: String, code: Int, says: String)] = [
        ("model_name", #""kolors-virtual-try-on-v9""#, 1201, "model is not supported"),
        ("model_name", "1", 1200, "must be a string"),
        ("human_image", #""""#, 1201, "human_image is required"),
        ("cloth_image", "null", 1201, "cloth_image is required"),
        ("cloth_image", "[]", 1200, "must be a string"),
        ("human_image", "\"data:image/png;base64,\(Simulation.picture)\"", 1201, "not in a valid base64 format"),
        ("human_image", "\"\(Simulation.picture.dropLast())\"", 1201, "not in a valid base64 format"),
        ("human_image", #""aGVs bG8=""#, 1201, "not in a valid base64 format"),
        ("human_image", text(Array("GIF89a, but no picture that Kling takes".utf8)), 1201, "format is not supported"),
        ("cloth_image", text(jpeg(299, 400)), 1201, "at least 300px"),
        ("cloth_image", text(jpeg(300, 400) + [UInt8](repeating: 0, count: 10_485_760)), 1201, "limit of 10MB"),
        ("callback_url", #""ftp://shop.example""#, 1201, "callback_url is invalid"),
        ("external_task_id", "{}", 1200, "must be a string"),
    ]

    @Test(arguments: refused.indices)
    func `a create that Kling would refuse is refused in Kling's words`(index: Int) {
        let row = Self.refused[index]
        var simulation = Simulation()
        let answer = simulation.create([row.member: row.value])
        #expect(answer.status == 400)
        #expect(answer.code == row.code)
        #expect(answer.message.contains(row.says), "\(answer.message)")
        #expect(simulation.platform.tasks.isEmpty)
    }

    @Test(arguments: ["", "{", "[]", "null", #"{"human_image":"https://a/1.png","human_image":"https://a/2.png"}"#])
    func `a body that is not a JSON object is refused`(body: String) {
        var simulation = Simulation()
        let answer = simulation.send("POST", body: Array(body.utf8))
        #expect(answer.status == 400)
        #expect(answer.code == 1200)
    }

    @Test func `pictures at the limits, empty members and unknown members are accepted`() {
        var simulation = Simulation { $0.accounts[0].concurrency = nil }
        let bounds = [
            Self.jpeg(300, 300), Self.jpeg(4000, 300, padding: 200_000),
            Self.jpeg(300, 300) + [UInt8](repeating: 0, count: 10_485_760 - Self.jpeg(300, 300).count),
        ]
        for file in bounds { #expect(simulation.create(["human_image": Self.text(file)]).code == 0) }
        #expect(
            simulation.create(["callback_url": #""""#, "external_task_id": #""""#, "model_name": "null"]).code == 0)
        #expect(simulation.create(["watermark": "true", "model_name": #""kolors-virtual-try-on-v1-5""#]).code == 0)
    }
}
