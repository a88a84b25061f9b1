extension HTTPClientRequest {
    /// Appends the request's head to `bytes` (RFC 9112 §3 and §5).
    /// - Throws: ``HTTPClientError/Code/invalidRequest`` if a field could break out of its line, or is one that the
    ///   client sets itself.
    func renderHead(_ target: HTTP1Target, bodyCount: Int, into bytes: inout [UInt8]) throws(HTTPClientError) {
        bytes.append(contentsOf: (method == .get ? "GET" : "POST").utf8)
        bytes.append(contentsOf: target.line)
        var accepts = false
        for (name, value) in headers {
            guard Self.isValidField(name, value), !Self.isReserved(name) else {
                throw HTTPClientError(.invalidRequest, wasSent: false, detail: "header field \(name.debugDescription)")
            }
            if Self.equals(name, "accept") { accepts = true }
            bytes.append(contentsOf: name.utf8)
            bytes.append(UInt8(ascii: ":"))
            if !value.isEmpty { bytes.append(UInt8(ascii: " ")) }
            bytes.append(contentsOf: value.utf8)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        if !accepts { bytes.append(contentsOf: "Accept: */*\r\n".utf8) }
        if method == .post {
            bytes.append(contentsOf: "Content-Length: ".utf8)
            bytes.append(contentsOf: String(bodyCount).utf8)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

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
