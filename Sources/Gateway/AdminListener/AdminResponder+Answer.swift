internal import Base
internal import EventLoop
internal import HTTPServer

extension AdminError {
    static let unauthorized = AdminError(401, "This needs the admin token as a bearer token.")
    static let forbidden = AdminError(
        403, "This is only served to the same machine, because no admin token is configured.")
    static let misdirected = AdminError(
        421,
        "Without an admin token in the configuration, this is answered only under localhost, a loopback address or the "
            + "configured listen address.")
}

extension HTTPResponse {
    init(_ body: [UInt8], mediaType: String) {
        self.init(
            status: 200,
            headers: [(name: "Content-Type", value: mediaType), (name: "Cache-Control", value: "no-store")],
            body: .bytes(body))
    }

    init(text: String) { self.init(Array(text.utf8), mediaType: "text/plain") }

    /// The reply to a call. JSON ends with a line break.
    init(_ reply: AdminReply) {
        var body = reply.body
        if reply.mediaType == "application/json", case .bytes(let json) = body { body = .bytes(json + [0x0A]) }
        self.init(
            status: reply.status,
            headers: [(name: "Content-Type", value: reply.mediaType), (name: "Cache-Control", value: "no-store")]
                + reply.headers,
            body: body)
    }

    init(_ error: AdminError) {
        self.init(error.reply)
        if error.status == 401 { headers.append((name: "WWW-Authenticate", value: "Bearer")) }
    }

    /// The response with the id of its request.
    func named(_ requestID: String) -> HTTPResponse {
        var response = self
        response.headers.append((name: "X-Request-Id", value: requestID))
        return response
    }

    /// The report as JSON. The names of the checks are fixed in the code and need no escaping.
    static func readiness(_ report: HealthReport) -> HTTPResponse {
        let checks = report.outcomes.map { "\"\($0.name)\":\"\($0.outcome.rawValue)\"" }.joined(separator: ",")
        var response = HTTPResponse(
            Array("{\"ready\":\(report.isReady),\"checks\":{\(checks)}}\n".utf8), mediaType: "application/json")
        response.status = report.isReady ? 200 : 503
        return response
    }
}

extension HTTPRequest {
    /// Reads the JSON of a call.
    /// - Throws: 413, 415, or why it could not be read.
    func adminBody(limit: Int) async throws(AdminError) -> Bytes {
        if body.declaredLength == 0 { return Bytes(capacity: 0) }
        let types = headers.values(of: "Content-Type")
        let isJSON = types.allSatisfy { type in
            type.split(separator: ";").first?.filter { $0 != " " }.lowercased() == "application/json"
        }
        guard isJSON else { throw AdminError(415, "The body must be JSON: send Content-Type: application/json.") }
        do throws(RequestBodyError) {
            return try await body.collect(limit: limit, owner: "operator")
        } catch {
            throw AdminError(error.status, error.message)
        }
    }

    /// The header field that sets the cookie of a session.
    func sessionCookie(_ value: String, seconds: Int64) -> (name: String, value: String) {
        let isSecure = headers["X-Forwarded-Proto"]?.lowercased() == "https"
        return (
            name: "Set-Cookie",
            value: "\(AdminSessions.cookie)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict"
                + (isSecure ? "; Secure" : "")
        )
    }
}

extension AdminActor {
    init(_ request: HTTPRequest, _ proof: AdminAccess.Proof) {
        let user = request.headers[AdminActor.field].flatMap { Self.isName($0) ? $0 : nil }
        let who = proof == .console ? proof.rawValue : user.map { "command:\($0)" } ?? proof.rawValue
        self.init(who: who, from: request.peer.withoutPort.host)
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }
}
