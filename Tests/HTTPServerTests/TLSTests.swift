import Base
import COpenSSL
import EventLoop
import Foundation
import HTTPServer
import TestKit
import Testing

/// Runs `body` with a TLS server and the files of its certificate.
func withTLSServer(
    loops: Int = 1, configure: (inout HTTPServerConfiguration) -> Void = { _ in },
    _ body: @Sendable (HTTPServer, SocketAddress, TestResponder, TestCertificate) async throws -> Void
) async throws {
    let files = try await TestCertificate()
    let tls = try TLSContext(
        certificateChain: String(contentsOfFile: files.certificate, encoding: .utf8),
        privateKey: Secret(String(contentsOfFile: files.key, encoding: .utf8)))
    try await withServer(
        loops: loops,
        configure: {
            $0.tls = tls
            configure(&$0)
        }
    ) { server, address, responder in try await body(server, address, responder, files) }
}

struct TLSTests {
    private static func client(
        _ address: SocketAddress, _ files: TestCertificate, dribbles: Bool = false
    ) -> RawClient {
        let client = RawClient(address, tls: ClientTLS(authority: files.certificate), dribbles: dribbles)
        #expect(client.performHandshake() == nil)
        return client
    }

    private static func post(_ path: String, _ count: Int) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n"
    }

    // MARK: The handshake

    @Test(arguments: [
        (TLS1_3_VERSION, ["http/1.1"], "TLSv1.3 http/1.1"), (TLS1_2_VERSION, ["http/1.1"], "TLSv1.2 http/1.1"),
        (TLS1_3_VERSION, ["h2", "http/1.1"], "TLSv1.3 http/1.1"), (TLS1_3_VERSION, [], "TLSv1.3 "),
    ])
    func `serves HTTP 1.1 over TLS 1.2 and newer`(
        newest: Int32, protocols: [String], expected: String
    ) async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let tls = ClientTLS(authority: files.certificate, newest: newest, protocols: protocols)
                let client = RawClient(address, tls: tls)
                #expect(client.performHandshake() == nil)
                #expect("\(tls.version) \(tls.chosenProtocol)" == expected)
                client.send(HostileCase.next)
                #expect(client.read()?.status == 200)
            }
        }
    }

    @Test func `older TLS versions, and clients that speak only HTTP 2, are refused`() async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let old = ClientTLS(authority: files.certificate, newest: TLS1_1_VERSION)
                #expect(RawClient(address, tls: old).performHandshake() != nil)
                let other = ClientTLS(authority: files.certificate, protocols: ["h2"])
                // It is an alert, for which OpenSSL 3.0.13 has no name.
                let reason = RawClient(address, tls: other).performHandshake()
                #expect(reason?.contains("no application protocol") == true || reason == "?")
            }
        }
    }

    @Test func `an unfinished handshake ends at the head's deadline`() async throws {
        try await withTLSServer(configure: {
            $0.headTimeout = .milliseconds(100)
            $0.idleTimeout = .seconds(600)
        }) { _, address, _, files in
            await onThread {
                let silent = RawClient(address)
                let half = RawClient(address)
                let tls = ClientTLS(authority: files.certificate)
                _ = tls.performHandshake()
                half.sendRaw(Array(tls.takeOutput().prefix(50)))
                #expect(silent.isAtEnd())
                #expect(half.isAtEnd())
            }
        }
    }

    @Test func `a connection may be idle after the handshake and ends with close_notify`() async throws {
        try await withTLSServer(configure: {
            $0.headTimeout = .seconds(600)
            $0.idleTimeout = .milliseconds(100)
        }) { _, address, _, files in
            await onThread {
                let client = Self.client(address, files)
                #expect(client.isAtEnd())
                #expect(client.sawCloseNotify)
            }
        }
    }

    @Test func `plain HTTP gets an explanation, and anything else is closed`() async throws {
        try await withTLSServer { _, address, _, _ in
            await onThread {
                let plain = RawClient(address)
                plain.send(HostileCase.next)
                let answer = plain.read()
                #expect(answer?.status == 400)
                #expect(answer?.body == "This port speaks TLS: https.\n")
                #expect(plain.isAtEnd())
                let garbage = RawClient(address)
                garbage.send([UInt8](repeating: 0xff, count: 100))
                garbage.finish()
                while !garbage.isAtEnd() { if garbage.read() == nil { break } }
            }
        }
    }

    // MARK: Requests

    @Test func `requests on one connection are answered, pipelined in one record or in many`() async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let client = Self.client(address, files)
                for cuts in [[], Array(1...50)] {
                    let requests = (0..<5).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
                    client.send(Array(requests.utf8), cuts: cuts)
                    for index in 0..<5 {
                        let answer = client.read()
                        #expect(answer?.body.hasPrefix("path=/\(index) ") == true, "\(String(describing: answer))")
                    }
                }
            }
        }
    }

    @Test func `requests behind a body in the same record are answered`() async throws {
        try await withTLSServer { _, address, responder, files in
            let client = await onThread { Self.client(address, files) }
            client.send(Self.post("/started", 10))
            #expect(await responder.starts.next() == "started")
            await onThread {
                client.send("0123456789" + HostileCase.next + HostileCase.next)
                #expect(client.read()?.body.hasSuffix("body=10:0123456789") == true)
                #expect(client.read()?.body.hasPrefix("path=/next ") == true)
                #expect(client.read()?.body.hasPrefix("path=/next ") == true)
            }
        }
    }

    @Test(arguments: [false, true])
    func `a body of five megabytes is echoed unchanged`(isChunked: Bool) async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let client = Self.client(address, files)
                let body = String(repeating: "0123456789abcdef", count: (5 << 20) / 16)
                for _ in 0..<2 {
                    if isChunked {
                        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                        client.send("\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n")
                    } else {
                        client.send(Self.post("/echo", body.utf8.count) + body)
                    }
                    let answer = client.read()
                    #expect(answer?.status == 200)
                    #expect(answer?.body == body)
                }
            }
        }
    }

    @Test func `a handshake and records that arrive byte by byte are reassembled`() async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let client = Self.client(address, files, dribbles: true)
                client.send(Self.post("/", 20) + "01234567890123456789" + HostileCase.next)
                #expect(client.read()?.body.hasSuffix("body=20:01234567890123456789") == true)
                #expect(client.read()?.status == 200)
            }
        }
    }

    @Test func `records without data delay neither their own connection nor others`() async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let tls = ClientTLS(authority: files.certificate)
                let client = RawClient(address, tls: tls)
                #expect(client.performHandshake() == nil)
                let other = Self.client(address, files)
                for part in ["GET / HT", "TP/1.1\r\nHost: a\r\n\r\n" + Self.post("/", 4) + "ab"] {
                    client.send(part)
                    tls.updateKeys(times: 3000)
                }
                client.send("cd")
                other.send(HostileCase.next)
                #expect(other.read()?.status == 200)
                client.send(HostileCase.next)
                for _ in 0..<3 { #expect(client.read()?.status == 200) }
            }
        }
    }

    @Test func `a client that waits for 100 Continue gets it`() async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let client = Self.client(address, files)
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
                #expect(client.read()?.status == 100)
                client.send("ab")
                #expect(client.read()?.status == 200)
            }
        }
    }

    // MARK: Closing

    @Test(arguments: [true, false])
    func `a half-closed client gets its answer, with or without its close_notify`(
        sendsCloseNotify: Bool
    ) async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let client = Self.client(address, files)
                client.send(HostileCase.next)
                client.finish(sendsCloseNotify: sendsCloseNotify)
                #expect(client.read()?.status == 200)
                #expect(client.isAtEnd())
                #expect(client.sawCloseNotify)
                let cut = Self.client(address, files)
                cut.send(Self.post("/", 10) + "ab")
                cut.finish(sendsCloseNotify: sendsCloseNotify)
                #expect(cut.read()?.status == 400)
                #expect(cut.isAtEnd())
            }
        }
    }

    @Test func `a last answer arrives whole, followed by close_notify`() async throws {
        try await withTLSServer { _, address, responder, files in
            let client = await onThread { Self.client(address, files) }
            client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await onThread {
                #expect(client.read()?.body.utf8.count == 20_000_000)
                #expect(client.isAtEnd())
                #expect(client.sawCloseNotify)
            }
            #expect(await responder.ends.next()?.end == .complete)
        }
    }

    @Test func `an early answer reaches a client that is still sending`() async throws {
        try await withTLSServer { _, address, _, files in
            await onThread {
                let client = Self.client(address, files)
                client.send(Self.post("/unread", 3 << 20) + String(repeating: "x", count: 3 << 20))
                #expect(client.read()?.status == 401)
                #expect(client.isAtEnd())
                #expect(client.sawCloseNotify)
            }
        }
    }

    @Test func `a client that resets ends its exchange, even in the middle of its answer`() async throws {
        try await withTLSServer { _, address, responder, files in
            let waiting = await onThread { Self.client(address, files) }
            waiting.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await responder.starts.next() == "waits")
            waiting.reset()
            #expect(await responder.cancellations.next() == "waits")
            #expect(await responder.ends.next()?.end == .clientGone)
            let reading = await onThread { Self.client(address, files) }
            reading.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            reading.reset()
            #expect(await responder.ends.next()?.end == .clientGone)
        }
    }

    // MARK: Where it applies

    @Test func `a Unix-domain socket stays plain`() async throws {
        let folder = try TemporaryFolder()
        try await withTLSServer(configure: { $0.addresses = [.unix(path: folder.path("s"))] }) { _, address, _, _ in
            await onThread {
                let client = RawClient(address)
                client.send(HostileCase.next)
                #expect(client.read()?.status == 200)
            }
        }
    }

    @Test func `a client over the connection limit is closed without an answer`() async throws {
        try await withTLSServer(configure: { $0.connections = 1 }) { _, address, _, files in
            await onThread {
                let first = Self.client(address, files)
                // An idle connection would give way.
                first.send(String(HostileCase.next.dropLast()))
                #expect(RawClient(address).isAtEnd())
                first.send("\r\n")
                #expect(first.read()?.status == 200)
            }
        }
    }

    // MARK: Certificates

    @Test func `an invalid certificate or key is refused with the reason`() async throws {
        let (one, other) = (try await TestCertificate(), try await TestCertificate())
        func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
        let (chain, key) = (try read(one.certificate), try read(one.key))
        let broken = chain.replacingOccurrences(of: "M", with: "N")
        let cases: [(String, String, TLSContextError.Part, String)] = [
            ("", key, .certificate, "it holds no certificate in PEM"),
            (key, key, .certificate, "it holds no certificate in PEM"),
            (broken, key, .certificate, "OpenSSL refuses it"),
            (chain + broken, key, .certificate, "OpenSSL refuses it"),
            (chain, chain, .privateKey, "it is not a private key in PEM"),
            (chain, "S3CRET", .privateKey, "it is not a private key in PEM"),
            (chain, try read(one.encryptedKey), .privateKey, "it is encrypted"),
            (chain, try read(other.key), .privateKey, "it does not belong to the certificate"),
        ]
        for (chain, key, part, reason) in cases {
            let error = #expect(throws: TLSContextError.self) {
                try TLSContext(certificateChain: chain, privateKey: Secret(key))
            }
            #expect(error?.part == part)
            #expect(error?.description.hasPrefix(reason) == true, "\(String(describing: error))")
        }
        _ = try TLSContext(certificateChain: chain + (try read(other.certificate)), privateKey: Secret(key))
    }
}
