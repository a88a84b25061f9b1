internal import Base

/// Renders the head of an answer (RFC 9112 §4, §5).
struct ResponseHead {
    /// The value of `Connection`.
    enum Connection { case omitted, close, keepAlive }

    let status: Int
    let connection: Connection
    /// `nil` if the answer has no length (204), or none that is known.
    let contentLength: Int?
    /// Whether the body is sent in chunks.
    var isChunked = false
    let fields: [(name: String, value: String)]

    /// Appends the head's bytes to `bytes`. `date` is the whole `Date` line.
    func render(into bytes: inout [UInt8], date: [UInt8]) {
        if status == 200 {
            bytes.append("HTTP/1.1 200 OK\r\n")
        } else {
            bytes.append("HTTP/1.1 ")
            bytes.append(number: status)
            bytes.append(" ")
            bytes.append(Self.reason(for: status))
            bytes.append("\r\n")
        }
        bytes.append(contentsOf: date)
        if let contentLength {
            bytes.append("Content-Length: ")
            bytes.append(number: contentLength)
            bytes.appendLineEnd()
        }
        if isChunked { bytes.append("Transfer-Encoding: chunked\r\n") }
        switch connection {
        case .omitted: break
        case .close: bytes.append("Connection: close\r\n")
        case .keepAlive: bytes.append("Connection: keep-alive\r\n")
        }
        for field in fields { Self.render(field, into: &bytes) }
        bytes.appendLineEnd()
    }

    /// Appends a field line, unless only the server may send the field, or it is malformed.
    private static func render(_ field: (name: String, value: String), into bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(utf8: field.name)
        let valueStart = bytes.count + 2
        let isOurs = isReserved(bytes, from: start)
        bytes.append(.colon)
        bytes.append(.space)
        bytes.append(utf8: field.value)
        let isValid = isValid(bytes.span, name: start..<valueStart - 2, value: valueStart..<bytes.count)
        if isOurs || !isValid {
            bytes.removeSubrange(start...)
        } else {
            bytes.appendLineEnd()
        }
    }

    private static func isValid(_ bytes: Span<UInt8>, name: Range<Int>, value: Range<Int>) -> Bool {
        bytes.extracting(value).isFieldValue && bytes.extracting(name).isToken
    }

    /// The fields that only the server itself may send.
    private static let reserved: [StaticString] = [
        "date", "content-length", "connection", "transfer-encoding", "keep-alive", "upgrade", "trailer", "te",
        "proxy-connection",
    ]

    private static func isReserved(_ bytes: [UInt8], from start: Int) -> Bool {
        let all = bytes.span
        let name = all.extracting(start..<bytes.count)
        for other in reserved where name.equalsIgnoringCase(other) { return true }
        return false
    }

    private static func reason(for status: Int) -> StaticString {
        for (code, phrase) in reasons where code == status { return phrase }
        return "Unassigned"
    }

    /// The reason phrases, the common ones first.
    private static let reasons: [(Int, StaticString)] = [
        (200, "OK"), (400, "Bad Request"), (401, "Unauthorized"), (404, "Not Found"), (429, "Too Many Requests"),
        (201, "Created"), (202, "Accepted"), (204, "No Content"), (301, "Moved Permanently"), (302, "Found"),
        (303, "See Other"), (304, "Not Modified"), (307, "Temporary Redirect"), (308, "Permanent Redirect"),
        (403, "Forbidden"), (405, "Method Not Allowed"), (408, "Request Timeout"), (409, "Conflict"), (410, "Gone"),
        (411, "Length Required"), (412, "Precondition Failed"), (413, "Content Too Large"), (414, "URI Too Long"),
        (415, "Unsupported Media Type"), (417, "Expectation Failed"), (422, "Unprocessable Content"),
        (431, "Request Header Fields Too Large"), (500, "Internal Server Error"), (501, "Not Implemented"),
        (502, "Bad Gateway"), (503, "Service Unavailable"), (504, "Gateway Timeout"),
        (505, "HTTP Version Not Supported"),
    ]
}
