import Base
import KlingAPI
import Testing

@testable import Gateway

struct LinkPolicyTests {
    private static let links = [
        "http://localhost:3000/a.png", "https://10.0.0.7/a.png", "http://0x7f.1/a", "http://nas.local/a",
    ]

    private func account(_ url: String, normalizes: Bool = false) -> Account {
        Account(name: "a", baseURL: url, credential: .apiKey(Secret("key")), normalizesPictures: normalizes)
    }

    private func refusal(_ link: String, _ accounts: [Account], publicURL: String? = nil) -> GatewayError? {
        do throws(GatewayError) {
            try LinkPolicy(accounts: accounts, publicURL: publicURL).check(GivenPicture("upperInput", .url(link)))
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: links)
    func `a link into a local network is refused, saying what to send instead`(link: String) {
        let error = refusal(link, [account("https://api-singapore.klingai.com"), account("https://8.8.8.8/kling")])
        #expect(error?.cause == .badParameter && error?.parameter == "upperInput")
        #expect(error?.message.hasPrefix("upperInput links to ") == true, "\(error?.message ?? "")")
        #expect(error?.message.hasSuffix("send the picture's bytes, or upload it to /v1/kling/assets.") == true)
    }

    @Test(arguments: [
        "http://127.0.0.1:9", "https://kling.internal/kling", "http://simulator:8080", "http://[fd00::1]",
    ])
    func `a local link is left to an account in a local network`(url: String) {
        for link in Self.links { #expect(refusal(link, [account("https://kling.example"), account(url)]) == nil) }
    }

    @Test func `a local link is left to a gateway that fetches pictures, or whose own link it is`() {
        let kling = account("https://kling.example")
        for link in Self.links {
            #expect(refusal(link, [kling, account("https://other.example", normalizes: true)]) == nil)
        }
        #expect(refusal("http://10.0.0.7:8080/pictures/a", [kling], publicURL: "https://10.0.0.7/gateway") == nil)
        #expect(refusal("http://10.0.0.8/pictures/a", [kling], publicURL: "https://10.0.0.7/gateway") != nil)
        #expect(refusal("https://shop.example/a", [kling]) == nil)
    }
}
