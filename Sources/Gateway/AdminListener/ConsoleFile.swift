internal import CConsole
internal import HTTPServer

/// The files of the console, which are part of the program.
enum ConsoleFile {
    /// The pages run only scripts from the same place, and load nothing else.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    /// Answers with a file, or with 304 if the browser has it.
    /// - Parameter name: what follows `/console/`; empty for the page itself.
    /// - Throws: 404.
    static func answer(to request: HTTPRequest, name: String) throws(AdminError) -> HTTPResponse {
        if name.isEmpty, !request.head.path.hasSuffix("/") {
            return HTTPResponse(status: 302, headers: [(name: "Location", value: "console/")])
        }
        guard let file = find(name.isEmpty ? "index.html" : name) else { throw .notFound }
        let tag = "\"\(Digest(of: file.bytes.span).hexadecimal.prefix(32))\""
        var headers = [
            (name: "ETag", value: tag), (name: "Cache-Control", value: "no-cache"),
            (name: "Content-Security-Policy", value: policy), (name: "X-Content-Type-Options", value: "nosniff"),
            (name: "Referrer-Policy", value: "no-referrer"),
        ]
        if request.headers.values(of: "If-None-Match").contains(where: { $0.contains(tag) || $0 == "*" }) {
            return HTTPResponse(status: 304, headers: headers)
        }
        headers.append((name: "Content-Type", value: file.mediaType))
        return HTTPResponse(status: 200, headers: headers, body: .bytes(file.bytes))
    }

    private static func find(_ name: String) -> (mediaType: String, bytes: [UInt8])? {
        for index in 0..<console_file_count() {
            // The table and everything in it are constants of the program, and `index` is below its count.
            let file = unsafe console_file_at(index).pointee
            guard unsafe String(cString: file.name) == name else { continue }
            let bytes = unsafe Array(UnsafeBufferPointer(start: file.bytes, count: file.count))
            return (unsafe String(cString: file.media_type), bytes)
        }
        return nil
    }
}
