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
        let size = fields.reduce(Self.longestStart + date.count) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        bytes.append(addingCapacity: size) { render(into: &$0, date: date) }
    }

    /// The most bytes of the status line, the lines about the body and the connection, and the empty line.
    private static let longestStart = 256

    private func render(into bytes: inout OutputSpan<UInt8>, date: [UInt8]) {
        if status == 200 {
            bytes.append("HTTP/1.1 200 OK\r\n")
        } else {
            bytes.append("HTTP/1.1 ")
            bytes.append(number: status)
            bytes.append(" ")
            bytes.append(Self.reason(for: status))
            bytes.append("\r\n")
        }
        // The pointer is used within the closure that lends it.
        unsafe date.withUnsafeBytes { unsafe bytes.append(copying: $0) }
        if let contentLength {
            bytes.append("Content-Length: ")
            bytes.append(number: contentLength)
            bytes.append("\r\n")
        }
        if isChunked { bytes.append("Transfer-Encoding: chunked\r\n") }
        switch connection {
        case .omitted: break
        case .close: bytes.append("Connection: close\r\n")
        case .keepAlive: bytes.append("Connection: keep-alive\r\n")
        }
        for field in fields { Self.render(field, into: &bytes) }
        bytes.append("\r\n")
    }

    /// Appends a field line, unless only the server may send the field, or it is malformed.
    private static func render(_ field: (name: String, value: String), into bytes: inout OutputSpan<UInt8>) {
        var (name, value) = field
        // The pointers are used within the closures that lend them.
        name.withUTF8 { name in
            value.withUTF8 { value in
                guard unsafe name.span.isToken, unsafe !isReserved(name.span), unsafe value.span.isFieldValue else {
                    return
                }
                unsafe bytes.append(copying: UnsafeRawBufferPointer(name))
                bytes.append(": ")
                unsafe bytes.append(copying: UnsafeRawBufferPointer(value))
                bytes.append("\r\n")
            }
        }
    }

    /// Whether only the server itself may send a field.
    private static func isReserved(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 2: name.equalsIgnoringCase("te")
        case 4: name.equalsIgnoringCase("date")
        case 7: name.equalsIgnoringCase("upgrade") || name.equalsIgnoringCase("trailer")
        case 10: name.equalsIgnoringCase("connection") || name.equalsIgnoringCase("keep-alive")
        case 14: name.equalsIgnoringCase("content-length")
        case 16: name.equalsIgnoringCase("proxy-connection")
        case 17: name.equalsIgnoringCase("transfer-encoding")
        default: false
        }
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
