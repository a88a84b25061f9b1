import KlingAPI
import KlingSimulator
import Testing

struct SolutionsCheckTests {
    private static func contents(_ elements: String...) -> [String: String] {
        ["contents": "[\(elements.joined(separator: ","))]"]
    }

    private static let product = #"{"type":"product_image","url":"https://a.example/1.png"}"#
    private static let person = #"{"type":"person_image","url":"https://a.example/2.png"}"#

    private static let refused: [(members: [String: String], says: String)] = [
        (["model_name": #""kolors-virtual-try-on-v1""#], "model_name is not a parameter"),
        (["simulate": "{}"], "simulate is not a parameter"),
        (["settings": #"{"keep_hat":true}"#], "settings.keep_hat is not a parameter"),
        (["options": #"{"n":1}"#], "options.n is not a parameter"),
        (["options": #"{"watermark":{"enabled":true,"text":"x"}}"#], "options.watermark.text is not a parameter"),
        (contents(product, #"{"type":"person_image","url":"https://a","id":1}"#), "contents[1].id is not a parameter"),
        (["contents": "null"], "contents must be an array"),
        (["contents": "{}"], "contents must be an array"),
        (contents(), "contents must have one each of product_image, person_image"),
        (contents(product), "contents must have one each of product_image, person_image"),
        (contents(product, person, product), "contents[2].type is duplicated"),
        (contents(product, "1"), "contents[1] must be an object"),
        (contents(product, #"{"url":"https://a"}"#), "contents[1].type must be one of"),
        (contents(product, #"{"type":"shoe_image","url":"https://a"}"#), "contents[1].type must be one of"),
        (contents(#"{"type":"person_image"}"#, product), "contents[0].url is required"),
        (contents(#"{"type":"person_image","url":""}"#, product), "contents[0].url is required"),
        (contents(#"{"type":"person_image","url":1}"#, product), "contents[0].url must be a string"),
        (
            contents(product, #"{"type":"person_image","url":"\#(Simulation.picture)"}"#),
            "contents[1].url must be a URL"
        ),
        (contents(product, #"{"type":"person_image","url":"ftp://a/1.png"}"#), "contents[1].url must be a URL"),
        (contents(product, #"{"type":"person_image","type":"x"}"#), "contents[1] has a member twice"),
        (["settings": #"{"keep_face":"true"}"#], "settings.keep_face must be a Boolean"),
        (["settings": #"{"keep_pose":1}"#], "settings.keep_pose must be a Boolean"),
        (["settings": "[]"], "settings must be an object"),
        (["options": #"{"watermark":true}"#], "options.watermark must be an object"),
        (["options": #"{"callback_url":"shop.example"}"#], "options.callback_url is invalid"),
        (["options": #"{"external_task_id":7}"#], "options.external_task_id must be a string"),
    ]

    @Test(arguments: refused.indices)
    func `a create that is not as documented is refused, naming the member`(index: Int) {
        let row = Self.refused[index]
        var simulation = Simulation.speaking()
        let answer = simulation.solve(row.members)
        #expect(answer.status == 400)
        #expect(answer.code == 1201)
        #expect(answer.message.contains(row.says), "\(answer.message)")
        #expect(simulation.platform.tasks.isEmpty)
    }

    @Test(arguments: ["", "{", "[]", "null", #"{"contents":[],"contents":[]}"#])
    func `a body that is not a JSON object is refused`(body: String) {
        var simulation = Simulation.speaking()
        let answer = simulation.send("POST", "/solutions/virtual_try_on", body: Array(body.utf8))
        #expect(answer.status == 400)
        #expect(answer.code == 1200)
    }

    @Test func `a create without contents is refused`() {
        var simulation = Simulation.speaking()
        let answer = simulation.send("POST", "/solutions/virtual_try_on", body: Array("{}".utf8))
        #expect(answer.code == 1201 && answer.message == "contents is required")
    }

    @Test func `the values of a create are kept and shown by the control API`() {
        var simulation = Simulation.speaking(.both) { $0.accounts[0].concurrency = nil }
        var members = Simulation.named(
            "x", #","callback_url":"https://shop.example/hook","watermark":{"enabled":true}"#)
        members["settings"] = #"{"keep_face":false,"keep_background":true}"#
        #expect(simulation.solve(members).code == 0)
        #expect(simulation.solve(Self.contents(Self.person, Self.product)).code == 0)
        simulation.create()
        let tasks = simulation.platform.tasks
        #expect(tasks.map(\.dialect) == [.solutions, .solutions, .kolors])
        #expect(tasks.map(\.personURL) == [Simulation.person, "https://a.example/2.png", Simulation.person])
        #expect(tasks.map(\.garmentURL) == [Simulation.garment, "https://a.example/1.png", nil])
        #expect(tasks.map { $0.settings?.keepsFace } == [false, true, nil])
        #expect(tasks.map { $0.settings?.keepsPose } == [true, true, nil])
        let shown = simulation.send("GET", "/_simulator/tasks").text
        #expect(
            shown.contains(
                #""cloth_image":"\#(Simulation.garment)","api":"solutions","watermark":true,"#
                    + #""settings":{"keep_face":false,"keep_pose":true,"keep_background":true}}"#))
        #expect(shown.contains(#""cloth_image":null,"api":"kolors","watermark":false}"#))
    }

    @Test func `an external id in use by one API is refused by the other`() {
        var simulation = Simulation.speaking(.both)
        simulation.solve(Simulation.named("x"))
        for again in [simulation.solve(Simulation.named("x")), simulation.create(["external_task_id": "\"x\""])] {
            #expect(again.status == 400 && again.code == 1201)
        }
        #expect(simulation.platform.tasks.map(\.creates) == [3])
        simulation.authorization = "Bearer other-key"
        #expect(simulation.solve(Simulation.named("x")).code == 0)
    }
}
