internal import Base

extension HTTPClientRequest {
    /// Appends a request's head to `bytes` (RFC 9112 §3 and §5).
    /// - Throws: ``HTTPClientError/Code/invalidRequest`` if a field could break out of its line, or is one that the
    ///   client sets itself.
    static func renderHead(
        _ method: Method, _ target: HTTP1Target, _ prepared: PreparedFields?,
        _ headers: [(name: String, value: String)], bodyCount: Int, into bytes: inout [UInt8]
    ) throws(HTTPClientError) {
        bytes.append(method == .get ? "GET" : "POST" as StaticString)
        // The pointers are used within the closures that lend them.
        unsafe target.line.withUnsafeBytes { unsafe bytes.append(copying: $0) }
        if let prepared { unsafe try prepared.lines.get().withUnsafeBytes { unsafe bytes.append(copying: $0) } }
        try render(headers, into: &bytes)
        if prepared?.accepts != true, !headers.contains(where: { isAccept($0.name) }) {
            bytes.append("Accept: */*\r\n")
        }
        if method == .post {
            bytes.append("Content-Length: ")
            bytes.append(number: bodyCount)
            bytes.appendLineEnd()
        }
        bytes.appendLineEnd()
    }

    /// Appends the lines of fields.
    /// - Throws: ``HTTPClientError/Code/invalidRequest``.
    static func render(
        _ fields: [(name: String, value: String)], into bytes: inout [UInt8]
    ) throws(HTTPClientError) {
        for (name, value) in fields {
            guard isValidField(name, value), !isReserved(name) else {
                throw HTTPClientError(.invalidRequest, wasSent: false, detail: "header field \(name.debugDescription)")
            }
            bytes.append(utf8: name)
            bytes.append(value.isEmpty ? ":" : ": " as StaticString)
            bytes.append(utf8: value)
            bytes.appendLineEnd()
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
