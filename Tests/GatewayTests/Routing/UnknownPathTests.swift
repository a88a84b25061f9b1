import Testing

@testable import Gateway

struct UnknownPathTests {
    private func unknown(_ path: String) -> UnknownPath { UnknownPath(Array(path.utf8).span) }

    @Test(arguments: [
        "/v1/nothing", "//kling//x/", "/images/a", "/solutions/a", "/proxy/kling", "/v1/chat/completions",
    ])
    func `a key is needed on paths of the APIs`(path: String) {
        #expect(unknown(path).needsKey)
    }

    @Test(arguments: ["/", "", "/v1", "/nothing/v1", "/proxy/a", "/v2/a", "/callbacks/kling/a/b", "/chat/completions"])
    func `no key is needed elsewhere`(path: String) {
        #expect(!unknown(path).needsKey)
    }

    @Test(arguments: [
        "/v1/images/generations", "/images/generations", "/kling/v1/images/variations", "/v1/chat/completions",
        "/chat/completions", "/v1/files", "/files/a", "/v1/v1/images/edits", "/v1/v1/models", "/v1/responses",
    ])
    func `OpenAI's other paths point to its edits and its base URL`(path: String) {
        let message = unknown(path).error.message
        #expect(message.contains("images.edit (POST /v1/images/edits)") && message.contains("base_url must end in /v1"))
    }

    @Test(arguments: ["/", "/v1", "/v1/nothing", "/v1/images", "/v1/images/virtual-try-on", "/v1/image/generations"])
    func `other paths point to those of Kling`(path: String) {
        #expect(unknown(path).error.message == GatewayError.unknownPath.message)
    }
}
