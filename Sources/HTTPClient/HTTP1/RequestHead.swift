extension HTTPClientRequest {
    /// Appends the request's head to `bytes` (RFC 9112 §3 and §5).
    /// - Throws: ``HTTPClientError/Code/invalidRequest`` if a field could break out of its line, or is one that the
    ///   client sets itself.
    func renderHead(_ target: HTTP1Target, bodyCount: Int, into bytes: inout [UInt8]) throws(HTTPClientError) {
        bytes.append(contentsOf: (method == .get ? "GET" : "POST").utf8)
        bytes.append(contentsOf: target.line)
        if let prepared { bytes.append(contentsOf: try prepared.lines.get()) }
        try Self.render(headers, into: &bytes)
        if prepared?.accepts != true, !headers.contains(where: { Self.isAccept($0.name) }) {
            bytes.append(contentsOf: Self.acceptLine)
        }
        if method == .post {
            bytes.append(contentsOf: Self.lengthName)
            bytes.append(contentsOf: String(bodyCount).utf8)
            bytes.append(contentsOf: Self.lineEnd)
        }
        bytes.append(contentsOf: Self.lineEnd)
    }

    private static let acceptLine = Array("Accept: */*\r\n".utf8)
    private static let lengthName = Array("Content-Length: ".utf8)
    private static let lineEnd = Array("\r\n".utf8)

    /// Appends the lines of fields.
    /// - Throws: ``HTTPClientError/Code/invalidRequest``.
    static func render(
        _ fields: [(name: String, value: String)], into bytes: inout [UInt8]
    ) throws(HTTPClientError) {
        for (name, value) in fields {
            guard isValidField(name, value), !isReserved(name) else {
                throw HTTPClientError(.invalidRequest, wasSent: false, detail: "header field \(name.debugDescription)")
            }
            bytes.append(contentsOf: name.utf8)
            bytes.append(UInt8(ascii: ":"))
            if !value.isEmpty { bytes.append(UInt8(ascii: " ")) }
            bytes.append(contentsOf: value.utf8)
            bytes.append(contentsOf: lineEnd)
        }
    }

    static func isAccept(_ name: String) -> Bool { equals(name, "accept") }

    /// Whether the client sets the field itself.
    private static func isReserved(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: equals(name, "host")
        case 10: equals(name, "connection")
        case 14: equals(name, "content-length")
        case 17: equals(name, "transfer-encoding")
        default: false
        }
    }

    /// Whether `name` is `word`, which is in lower case, in any case.
    private static func equals(_ name: String, _ word: StaticString) -> Bool {
        guard name.utf8.count == word.utf8CodeUnitCount else { return false }
        // The literal's bytes are in the binary, so the pointer is always valid.
        let bytes = unsafe UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        return unsafe zip(name.utf8, bytes).allSatisfy { (0x41...0x5a).contains($0) ? $0 | 0x20 == $1 : $0 == $1 }
    }
}
