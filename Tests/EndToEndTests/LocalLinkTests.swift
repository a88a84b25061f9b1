import KlingSimulator
import TestKit
import Testing

/// Links to pictures that only the client's own network can reach, in every client shape.
@Suite(.aFewAtATime) struct LocalLinkTests {
    private static let settings = "dispatch: { wait: 0s }"
    /// An account outside of the local network, which is never reached.
    private static let far = Rig.Account(name: "kling", url: "https://kling.invalid")

    private static let kling = #"{"human_image":"$P","cloth_image":"$G"}"#
    private static let solutions =
        #"{"contents":[{"type":"product_image","url":"$G"},{"type":"person_image","url":"$P"}]}"#

    @Test(arguments: [
        (Fixture.path, kling, "human_image"), ("/kling" + Fixture.path, kling, "human_image"),
        ("/solutions/virtual_try_on", solutions, "contents[person_image].url"),
        (EditForm.path, #"{"image":["$P","$G"]}"#, "image[0]"),
        (Useapi.path, #"{"humanImage":"$P","dressInput":"$G"}"#, "humanImage"),
    ])
    func `a link that Kling cannot reach is refused, naming the field`(
        path: String, body: String, field: String
    ) async throws {
        try await Rig.run([Self.far], settings: Self.settings) { rig in
            for host in ["localhost:3000", "192.168.1.20", "2130706433", "[::1]"] {
                let text = body.replacing("$P", with: "http://\(host)/a.png").replacing("$G", with: EditJSON.garment)
                let answer = try await rig.gateway.post(path, Array(text.utf8))
                #expect(answer.status == 400 && answer.text.contains("\(field) links to "), "\(answer.text)")
                #expect(answer.text.contains("which Kling cannot reach: send the picture's bytes, or upload it to"))
            }
        }
    }

    @Test func `a link to the client's own upload is accepted`() async throws {
        try await Rig.run([Self.far], settings: Self.settings) { rig in
            let link = try await rig.gateway.uploaded(SamplePictures.person)
            #expect(link.hasPrefix("http://127.0.0.1:"))
            let text = Self.kling.replacing("$P", with: link).replacing("$G", with: EditJSON.garment)
            let answer = try await rig.gateway.post(Fixture.path, Array(text.utf8))
            #expect(answer.status != 400, "\(answer.text)")
        }
    }

    @Test func `a local link is accepted if the account is in a local network`() async throws {
        try await Rig.run { rig in
            let text = Self.kling.replacing("$P", with: "http://localhost/a.png").replacing(
                "$G", with: EditJSON.garment)
            let answer = try await rig.gateway.post(Fixture.path, Array(text.utf8))
            #expect(answer.status == 200, "\(answer.text)")
        }
    }
}
