import EventLoop
import Testing

struct HostileClientTests {
    /// How a case's bytes are cut into sends.
    enum Cutting: CaseIterable { case whole, everyByte, randomly }

    @Test(arguments: Cutting.allCases)
    func `each hostile case is answered correctly, however it is cut`(cutting: Cutting) async throws {
        try await withServer(loops: 2) { _, address, _ in
            let failures = await onThread { () -> [String] in
                HostileCase.all.compactMap { Self.problem(with: $0, RawClient(address), cutting) }
            }
            #expect(failures == [])
            #expect(HostileCase.all.count == 244)
        }
    }

    @Test(arguments: Cutting.allCases)
    func `each hostile case is answered over TLS as it is without, however its records are cut`(
        cutting: Cutting
    ) async throws {
        try await withTLSServer(loops: 2) { _, address, _, files in
            let failures = await onThread { () -> [String] in
                HostileCase.all.compactMap { item in
                    let client = RawClient(address, tls: ClientTLS(authority: files.certificate))
                    return client.performHandshake() ?? Self.problem(with: item, client, cutting)
                }
            }
            #expect(failures == [])
        }
    }

    /// What went wrong with a case; `nil` if nothing did.
    private static func problem(with item: HostileCase, _ client: RawClient, _ cutting: Cutting) -> String? {
        client.send(item.bytes, cuts: cuts(item.bytes.count, cutting))
        var last: RawClient.Answer?
        for status in item.statuses {
            last = client.read()
            if last?.status != status { return "\(item.name): \(last?.status ?? 0) in place of \(status)" }
        }
        if !item.contains.isEmpty, last?.body.range(after: item.contains) == nil {
            return "\(item.name): \(last?.body ?? "nothing") does not contain \(item.contains)"
        }
        if item.statuses == [100] {
            client.send("ab")
            if client.read()?.status != 200 { return "\(item.name): no answer after 100" }
        }
        if item.closes {
            client.finish()
            return client.isAtEnd() ? nil : "\(item.name): not closed"
        }
        client.send(HostileCase.next)
        let next = client.read()
        return next?.status == 200 && next?.body.hasPrefix("path=/next ") == true
            ? nil : "\(item.name): the next request got \(String(describing: next))"
    }

    private static func cuts(_ count: Int, _ cutting: Cutting) -> [Int] {
        switch cutting {
        case .whole: []
        case .everyByte where count < 2000: Array(0..<count)
        case .everyByte, .randomly: (0..<8).map { _ in Int.random(in: 0..<count) }.sorted()
        }
    }
}
