import KlingAPI
import Testing

@testable import Gateway

/// Every kind of answer to a create, and every way to get none.
struct CreateVerdictTests {
    /// A verdict in one line.
    private func text(_ verdict: CreateVerdict) -> String {
        switch verdict {
        case .accepted(_, let upstreamID): "accepted as \(upstreamID)"
        case .refused(let status, let answer): "refused \(status) \(answer.code.rawValue)"
        case .declined: "declined"
        case .notSent: "not sent"
        case .unsuitable(let error): "unsuitable \(error.refusal?.status ?? 0)"
        case .open(let timedOut): timedOut ? "open after a timeout" : "open"
        }
    }

    private func verdict(_ status: Int, _ body: String) -> CreateVerdict {
        CreateVerdict(.success(UpstreamAnswer(KlingReply(status: status, body: Array(body.utf8)))))
    }

    private static let duplicate = #"{"code":1201,"message":"external_task_id already exists"}"#

    // MARK: With Kling's envelope

    @Test(
        arguments: [
            (200, #"{"code":0,"data":{"task_id":"k-1","task_status":"submitted"}}"#, "accepted as k-1", .accepted),
            (200, #"{"code":0,"data":{"task_id":815}}"#, "accepted as 815", .accepted),
            (500, #"{"code":0,"data":{"task_id":"k-1"}}"#, "accepted as k-1", .accepted),
            (200, #"{"code":0}"#, "open", .ambiguous), (200, #"{"code":0,"data":null}"#, "open", .ambiguous),
            (200, #"{"code":0,"data":{}}"#, "open", .ambiguous), (200, #"{"code":0,"data":[]}"#, "open", .ambiguous),
            (200, #"{"code":0,"data":{"task_id":""}}"#, "open", .ambiguous),
            (400, duplicate, "open", .ambiguous),
        ] as [(Int, String, String, CreateEvent)])
    func `only an answer with a task's id is an acceptance`(
        status: Int, body: String, expected: String, event: CreateEvent
    ) {
        let verdict = verdict(status, body)
        #expect(text(verdict) == expected && verdict.event == event)
    }

    /// Every documented code but that of a success, with Kling's own status.
    @Test(arguments: KlingCode.documented.filter { $0 != .ok })
    func `each of Kling's codes has its verdict`(code: KlingCode) throws {
        let verdict = verdict(code.httpStatus, #"{"code":\#(code.rawValue),"message":"words"}"#)
        let known: (text: String, event: CreateEvent)? =
            switch code.rawValue {
            // 401 and 429: the account's keys, arrears, packs or allowed addresses.
            case 1000...1004, 1100...1102, 1304:
                ("declined", .refusedForNow(.account(code, reason: "words")))
            case 1103: ("declined", .refusedForNow(.model(code, reason: "words")))
            case 1302: ("declined", .refusedForNow(.rateLimited))
            case 1303: ("declined", .refusedForNow(.saturated))
            case 5001: ("declined", .refusedForNow(.unavailable))
            case 1200...1203, 1300, 1301: ("refused \(code.httpStatus) \(code.rawValue)", .refusedForGood)
            case 5000: ("open", .ambiguous)
            case 5002: ("open after a timeout", .ambiguous)
            default: nil
            }
        let expected = try #require(known)
        #expect(text(verdict) == expected.text && verdict.event == expected.event)
    }

    @Test(arguments: [
        (200, 1201, "open"), (500, 1201, "open"), (504, 1201, "open after a timeout"), (400, 5000, "open"),
        (400, 5002, "open after a timeout"), (200, 1303, "declined"), (200, 1102, "declined"), (500, 5001, "declined"),
        (400, 777, "refused 400 777"), (200, 777, "open"), (500, 777, "open"), (504, 777, "open after a timeout"),
    ])
    func `with another status, a refusal of the request counts only if it is 4xx`(
        status: Int, code: Int, expected: String
    ) {
        #expect(text(verdict(status, #"{"code":\#(code)}"#)) == expected)
    }

    // MARK: Without one

    @Test(
        arguments: [
            (200, "", "open", .ambiguous), (200, "<html>", "open", .ambiguous), (200, "{}", "open", .ambiguous),
            (200, #"{"code":0,"data":{"task_id":"k-1"#, "open", .ambiguous),
            (200, #"{"code":0,"code":0,"data":{"task_id":"k-1"}}"#, "open", .ambiguous),
            (200, #"{"code":"success","data":{"task_id":"k-1"}}"#, "open", .ambiguous), (400, "", "open", .ambiguous),
            (500, "", "open", .ambiguous), (502, "<html>", "open", .ambiguous), (503, "<html>", "open", .ambiguous),
            (504, "", "open after a timeout", .ambiguous),
            (302, "", "declined", .refusedForNow(.unavailable)), (429, "", "declined", .refusedForNow(.rateLimited)),
            (401, "", "declined", .refusedForNow(.account(.authenticationFailed, reason: "HTTP 401"))),
            (404, "", "declined", .refusedForNow(.account(.notFound, reason: "HTTP 404"))),
            (
                429, #"{"error":{"code":"insufficient_user_quota","message":"m"}}"#, "declined",
                .refusedForNow(.account(.resourcePackExhausted, reason: "HTTP 429 (insufficient_user_quota): m"))
            ),
            (
                503, #"{"error":{"code":"model_not_found"}}"#, "declined",
                .refusedForNow(.model(.permissionDenied, reason: "HTTP 503 (model_not_found)"))
            ),
            (413, "<html>", "unsuitable 413", .refusedForGood), (415, "", "unsuitable 415", .refusedForGood),
            (500, #"{"code":"invalid_request","message":"m"}"#, "unsuitable 400", .refusedForGood),
        ] as [(Int, String, String, CreateEvent)])
    func `an answer without Kling's envelope is judged by its status and error word`(
        status: Int, body: String, expected: String, event: CreateEvent
    ) {
        let verdict = verdict(status, body)
        #expect(text(verdict) == expected && verdict.event == event)
    }

    // MARK: Without an answer

    @Test(arguments: UpstreamFault.allCases)
    func `a create without an answer is open if a byte of it was sent`(fault: UpstreamFault) {
        let lost = CreateVerdict(.failure(KlingFailure(fault, wasSent: true, detail: "")))
        #expect(text(lost) == (fault == .timeout ? "open after a timeout" : "open") && lost.event == .ambiguous)
        let unsent = CreateVerdict(.failure(KlingFailure(fault, wasSent: false, detail: "")))
        #expect(text(unsent) == "not sent" && unsent.event == .notSent)
    }
}
