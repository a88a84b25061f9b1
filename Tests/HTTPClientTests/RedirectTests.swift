import HTTPClient
import Testing

struct RedirectTests {
    @Test(
        arguments: [
            ("https://cdn.example/b.jpg", "https://cdn.example/b.jpg"),
            ("/b.jpg?size=2", "http://shop.example:8080/b.jpg?size=2"),
            ("b.jpg", "http://shop.example:8080/images/b.jpg"),
            ("//cdn.example/b", "http://cdn.example/b"), ("../b#part", "http://shop.example:8080/b"),
            ("/a b", "http://shop.example:8080/a%20b"), ("file:///etc/passwd", "file:///etc/passwd"),
            ("javascript:alert(1)", nil), ("http://[", nil), ("", nil),
        ] as [(String, String?)])
    func `a redirect's target is resolved against the requested URL`(_ location: String, _ target: String?)
        async throws
    {
        let server = TestServer.keepAlive { connection, _, _ in
            connection.write("HTTP/1.1 302 Found\r\nLocation: \(location)\r\nContent-Length: 0\r\n\r\n")
        }
        try await withClient { client, _ in
            let answer = try await client.execute(.get("http://127.0.0.1:\(server.port)/"))
            #expect(answer.status == 302, "it is not followed")
            #expect(answer.redirectTarget(from: "http://shop.example:8080/images/a.jpg") == target)
        }
        #expect(AddressPolicy.any.refusal(of: "file:///etc/passwd") == .scheme)
    }
}
