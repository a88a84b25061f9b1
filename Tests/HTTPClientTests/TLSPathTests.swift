import Base
import COpenSSL
import EventLoop
import Foundation
import HTTPClient
import TestKit
import Testing

struct TLSPathTests {
    /// Serves each connection over TLS with a script; the certificate is for `localhost` and 127.0.0.1.
    private func server(
        _ files: TestCertificate, certificate: String? = nil, newest: Int32 = TLS1_3_VERSION,
        _ script: @escaping @Sendable (TLSPeer) -> Void
    ) -> TestServer {
        let identity = TLSIdentity(certificate: certificate ?? files.certificate, key: files.key, newest: newest)
        return TestServer { connection in if let peer = TLSPeer(connection, identity) { script(peer) } }
    }

    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    @Test(arguments: [TLS1_3_VERSION, TLS1_2_VERSION], ["localhost", "127.0.0.1"])
    func `requests go over TLS 1.2 and 1.3, to names and addresses`(version: Int32, host: String) async throws {
        let files = try await TestCertificate()
        let names = Lock<[String?]>([])
        let server = server(files, newest: version) { peer in
            names.withLock { $0.append(peer.requestedName) }
            while peer.readRequest() != nil { peer.write(Self.answer) }
        }
        try await withClient { client, _ in
            for round in 0..<4 {
                let answer = try await client.execute(
                    .post("https://\(host):\(server.port)/") { $0.caFile = files.certificate })
                #expect(answer.status == 200)
                #expect(answer.isReusedConnection == (round > 0))
                #expect((answer.timings.tls > .zero) == (round == 0))
            }
        }
        #expect(names.withLock { $0 } == [host == "localhost" ? host : nil])
    }

    @Test func `a certificate that has expired is not trusted`() async throws {
        let files = try await TestCertificate()
        let folder = try TemporaryFolder()
        let path = folder.path("expired.pem")
        let text = expired(
            certificate: try String(contentsOfFile: files.certificate, encoding: .utf8),
            key: try String(contentsOfFile: files.key, encoding: .utf8))
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let server = server(files, certificate: path) { peer in _ = peer.readRequest() }
        try await withClient { client, _ in
            let error = await client.failure(.post("https://localhost:\(server.port)/") { $0.caFile = path })
            #expect(error?.code == .tls)
            #expect(error?.wasSent == false)
            #expect(error?.detail == "certificate has expired")
        }
    }

    @Test func `a certificate for another name, and one of an unknown authority, are not trusted`() async throws {
        let files = try await TestCertificate()
        let server = server(files) { peer in _ = peer.readRequest() }
        try await withClient { client, _ in
            let otherName = await client.failure(
                .post("https://other.localhost:\(server.port)/") { $0.caFile = files.certificate })
            #expect(otherName?.code == .tls && otherName?.wasSent == false)
            #expect(otherName?.detail == "hostname mismatch")
            let unknown = await client.failure(.post("https://localhost:\(server.port)/"))
            #expect(unknown?.code == .tls && unknown?.wasSent == false)
            #expect(unknown?.detail.contains("self-signed certificate") == true)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", false, HTTPClientError.Code.closed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", true, .closed),
        ("HTTP/1.1 200 OK\r\n\r\n12345", false, .closed), ("HTTP/1.1 200 OK\r\n\r\n12345", true, nil),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", false, nil), ("", false, .sendInterrupted),
    ])
    func `an answer without a length of its own needs close_notify, others only their length`(
        text: String, sendsCloseNotify: Bool, code: HTTPClientError.Code?
    ) async throws {
        let files = try await TestCertificate()
        let server = server(files) { peer in
            _ = peer.readRequest()
            if !text.isEmpty { peer.write(text) }
            if sendsCloseNotify { peer.sendCloseNotify() }
        }
        try await withClient { client, _ in
            do throws(HTTPClientError) {
                let answer = try await client.execute(
                    .post("https://localhost:\(server.port)/") { $0.caFile = files.certificate })
                #expect(code == nil)
                #expect(String(decoding: answer.body, as: UTF8.self) == "12345")
            } catch {
                #expect(error.code == code)
                #expect(error.wasSent)
            }
        }
    }

    @Test func `a large body and a large answer go through TLS unchanged`() async throws {
        let files = try await TestCertificate()
        let server = server(files) { peer in
            while let body = peer.readRequest() {
                peer.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
                peer.write(String(decoding: body, as: UTF8.self))
            }
        }
        let text = String(repeating: "0123456789abcdef", count: 100_000)
        try await withClient { client, _ in
            for _ in 0..<2 {
                let answer = try await client.execute(
                    .post("https://localhost:\(server.port)/x", text) {
                        $0.caFile = files.certificate
                        $0.maximumAnswer = 2_000_000
                    })
                #expect(String(decoding: answer.body, as: UTF8.self) == text)
            }
        }
        #expect(server.connections == 1)
    }

    @Test(arguments: [TLS1_3_VERSION, TLS1_2_VERSION])
    func `another connection to the same host resumes the session`(version: Int32) async throws {
        let files = try await TestCertificate()
        let resumed = Lock<[Bool]>([])
        let server = server(files, newest: version) { peer in
            resumed.withLock { $0.append(peer.isResumed) }
            _ = peer.readRequest()
            peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        }
        try await withClient { client, _ in
            for _ in 0..<3 {
                _ = try await client.execute(
                    .post("https://localhost:\(server.port)/") { $0.caFile = files.certificate })
            }
        }
        #expect(resumed.withLock { $0 } == [false, true, true])
    }
}
