import Foundation
import KlingSimulator
import TestKit
import Testing

/// Jobs in useapi.net's shape, through the built binary.
@Suite(.aFewAtATime) struct UseapiTests {
    private static let hour = 3_600_000...3_600_000
    private static let two = [Rig.Account(name: "first"), Rig.Account(name: "second")]

    @Test func `a try-on of a dress works as in the published examples`() async throws {
        try await Rig.run(duration: 500...500) { rig in
            let made = try await rig.gateway.job(#""email":"[email protected]","imageCount":2"#)
            #expect(made.status == 200)
            #expect(made["Content-Type"] == "application/json; charset=utf-8")
            let task = try #require(made.json["task"] as? [String: Any])
            #expect(task["type"] as? String == "mmu_img2img_aitryon")
            #expect(task["status_name"] as? String == "submitted")
            let info = try #require(task["taskInfo"] as? [String: Any])
            let inputs = try #require(info["inputs"] as? [[String: Any]])
            #expect(inputs.map { $0["url"] as? String } == [Useapi.person, Useapi.dress])
            #expect(made.json["status"] as? Int == 5 && made.works.isEmpty)
            let number = try #require(made.jobNumber)
            #expect((1..<1 << 53).contains(number))
            let ended = try await rig.gateway.endedJob(number)
            #expect(ended.json["status_name"] as? String == "succeed" && ended.json["status"] as? Int == 99)
            #expect(ended.jobNumber == number)
            #expect(Set(ended.works).count == 2)
            #expect(rig.creates() == 2)
            #expect(rig.kling.tasks.allSatisfy { $0.personURL == Useapi.person })
        }
    }

    @Test func `a form asks for the same job, with files or URLs`() async throws {
        try await Recorder.kling { kling, url in
            try await Rig.run([Rig.Account(name: "kling", url: url)]) { rig in
                var form = UseapiForm()
                form.add("humanImage", Useapi.person)
                form.add("lowerInput", file: SamplePictures.garment)
                form.add("imageCount", "1")
                let made = try await rig.gateway.post(Useapi.path, form.body, type: form.type)
                #expect(made.status == 200, "\(made.text)")
                let sent = try #require(kling.posts.first).json
                #expect(sent["model_name"] as? String == "kolors-virtual-try-on-v1-5")
                #expect(sent["human_image"] as? String == Useapi.person)
                #expect(sent["cloth_image"] as? String == Data(SamplePictures.garment).base64EncodedString())
                let headers = ["Idempotency-Key: form-1"]
                for expected in [2, 2] {
                    form = form.sentAgain()
                    let again = try await rig.gateway.post(Useapi.path, form.body, type: form.type, headers: headers)
                    #expect(again.status == 200 && kling.posts.count == expected)
                }
                var broken = UseapiForm()
                broken.add("humanImage", Useapi.person)
                let refused = try await rig.gateway.post(Useapi.path, broken.body, type: broken.type)
                #expect(refused.useapiError == "At least one of dressInput, upperInput or lowerInput must be provided")
            }
        }
    }

    // MARK: Errors

    /// A body, its status, and the start of its error.
    static let refused: [(body: String, status: Int, message: String)] = [
        (#"{"humanImage":"\#(Useapi.person)"}"#, 400, "At least one of dressInput, upperInput or lowerInput must be"),
        (#"{"dressInput":"\#(Useapi.dress)"}"#, 400, "humanImage is required"),
        (Useapi.body(#""upperInput":"https://a.example/u.jpg""#), 400, "dressInput is incompatible"),
        (Useapi.body(#""imageCount":5"#), 400, "imageCount must be a whole number from 1 to 4"),
        (Useapi.body(#""maxJobs":51"#), 400, "maxJobs must be a whole number from 1 to 50"),
        (Useapi.body(#""replyUrl":"file:///etc/passwd""#), 400, "replyUrl must be"),
        (Useapi.body(#""replyUrl":"http://127.0.0.1/""#), 400, "replyUrl"),
        (Useapi.body(#""model":"other""#), 400, "model is not a virtual try-on model"),
        (Useapi.body(#""email":"nobody""#), 400, "email names no account"),
        (Useapi.body(person: "ftp://a.example/p.jpg"), 400, "humanImage is a URL with the scheme 'ftp'"),
        (Useapi.body(person: "iVBORw0KGgo="), 400, "humanImage begins like a PNG file"),
        ("{", 400, "The body is not valid JSON"),
    ]

    @Test func `every error has useapi's wording, and nothing is made`() async throws {
        try await Rig.run { rig in
            for (body, status, message) in Self.refused {
                let answer = try await rig.gateway.post(Useapi.path, Array(body.utf8))
                #expect(answer.status == status, "\(body)")
                #expect(answer.useapiError?.hasPrefix(message) == true, "\(answer.text)")
            }
            let body = Array(Useapi.body().utf8)
            let stranger = try await rig.gateway.post(Useapi.path, body, key: nil)
            #expect((stranger.status, stranger.useapiError) == (401, "Unauthorized"))
            let wrong = try await rig.gateway.post(Useapi.path, body, key: "sk-of-nobody-that-is-known-here")
            #expect((wrong.status, wrong.useapiError) == (401, "Unauthorized"))
            let method = try await rig.gateway.ask("GET", Useapi.path)
            #expect((method.status, method["Allow"], method.useapiError != nil) == (405, "POST", true))
            let mixed = try await rig.gateway.post(Useapi.path, body, type: "multipart/mixed; boundary=x")
            #expect((mixed.status, mixed.useapiError != nil) == (415, true))
            #expect(rig.creates() == 0)
        }
    }

    @Test func `a job is visible to its own tenant only`() async throws {
        try await Rig.run { rig in
            let number = try await rig.gateway.jobNumber()
            let unknown = try await rig.gateway.job(number + 1)
            #expect((unknown.status, unknown.useapiError != nil) == (404, true))
            let foreign = try await rig.gateway.job(number, key: GatewayProcess.otherKey)
            #expect(foreign.status == 404 && foreign.useapiError == unknown.useapiError)
            let word = try await rig.gateway.ask("GET", "/v1/kling/tasks/abc")
            #expect(word.status == 404 && word.useapiError == unknown.useapiError)
            #expect(try await rig.gateway.ask("GET", "/v1/kling/tasks", key: GatewayProcess.otherKey).history.isEmpty)
        }
    }

    @Test func `a refusal by Kling is the answer, and a failure appears in the job`() async throws {
        try await Rig.run { rig in
            try rig.fail("create:1301:1:1")
            let refused = try await rig.gateway.job()
            #expect((refused.status, refused.useapiError != nil) == (400, true))
            let number = try await rig.gateway.jobNumber(
                #""imageCount":2"#, person: Useapi.person(#"{"outcome":"failed","message":"no person"}"#))
            let ended = try await rig.gateway.endedJob(number)
            #expect((ended.json["status"] as? Int, ended.works) == (50, []))
            #expect(ended.json["message"] as? String == "2 of 2 pictures failed: no person")
            #expect(try await rig.gateway.ask("GET", "/v1/kling/tasks").history == [number])
        }
    }

    @Test func `the error for a job with an unknown outcome names it, and it can be queried`() async throws {
        try await Rig.run([Rig.Account(name: "kling", settings: "lookup: no")]) { rig in
            try rig.fail("create:lost-answer:1:1")
            let lost = try await rig.gateway.job(#""imageCount":2"#)
            #expect(lost.status == 502 && lost["x-should-retry"] == "false")
            let error = try #require(lost.useapiError)
            let digits = error.split(separator: "GET /v1/kling/tasks/").last?.prefix { $0.isNumber }
            let number = try #require(digits.flatMap { Int($0) }, "\(error)")
            let shown = try await rig.gateway.job(number)
            #expect((shown.status, shown.jobNumber) == (200, number))
            #expect(rig.creates() == 1)
        }
    }

    // MARK: Jobs

    @Test func `no more jobs run than maxJobs allows`() async throws {
        try await Rig.run(duration: Self.hour) { rig in
            _ = try await rig.gateway.jobNumber(#""maxJobs":2"#)
            _ = try await rig.gateway.jobNumber(#""maxJobs":2"#)
            let third = try await rig.gateway.job(#""maxJobs":2"#)
            #expect((third.status, third.useapiError != nil) == (429, true))
            #expect((1...60).contains(third["Retry-After"].flatMap { Int($0) } ?? 0))
            _ = try await rig.gateway.jobNumber(#""maxJobs":3"#)
            _ = try await rig.gateway.jobNumber()
            #expect(rig.creates() == 4)
        }
    }

    @Test func `email names the account that runs the job`() async throws {
        try await Rig.run(Self.two) { rig in
            for _ in 0..<3 { _ = try await rig.gateway.jobNumber(#""email":"second""#) }
            #expect((rig.creates(on: "first"), rig.creates(on: "second")) == (0, 3))
            let first = try await rig.gateway.jobNumber(#""email":"first""#)
            for email in ["third", "john@example.com"] {
                let refused = try await rig.gateway.job(#""email":"\#(email)""#)
                #expect(refused.status == 400 && refused.useapiError?.hasPrefix("email names no account") == true)
            }
            #expect(try await rig.gateway.ask("GET", "/v1/kling/tasks?email=first").history == [first])
            #expect(try await rig.gateway.ask("GET", "/v1/kling/tasks?email=second").history.count == 3)
        }
    }

    @Test func `jobs are listed newest first and filtered by the query`() async throws {
        try await Rig.run { rig in
            var jobs: [(number: Int, at: Int)] = []
            for _ in 0..<3 {
                let number = try await rig.gateway.jobNumber()
                let task = try await rig.gateway.job(number).json["task"] as? [String: Any]
                jobs.append((number, try #require(task?["createTime"] as? Int)))
                try await Task.sleep(for: .milliseconds(5))
            }
            _ = try await rig.createdTask()
            let numbers = Array(jobs.map(\.number).reversed())
            for (query, expected) in [
                ("", numbers), ("?pageSize=2", Array(numbers.prefix(2))), ("?contentType=image&email=", numbers),
                ("?contentType=video", []), ("?createdBefore=\(jobs[1].at)", [numbers[2]]),
                ("?createdAfter=\(jobs[1].at)", [numbers[0]]), ("?other=1", numbers),
            ] { #expect(try await rig.gateway.ask("GET", "/v1/kling/tasks\(query)").history == expected, "\(query)") }
            for query in ["pageSize=0", "pageSize=501", "pageSize=1&pageSize=2", "contentType=x", "createdAfter=-1"] {
                let refused = try await rig.gateway.ask("GET", "/v1/kling/tasks?\(query)")
                #expect((refused.status, refused.useapiError != nil) == (400, true), "\(query)")
            }
        }
    }

    @Test func `a create resent with its key makes no second job`() async throws {
        try await Rig.run { rig in
            let headers = ["Idempotency-Key: order-1"]
            let first = try await rig.gateway.job(headers: headers)
            let second = try await rig.gateway.job(headers: headers)
            #expect(first.status == 200 && second.text == first.text)
            #expect(second["Idempotent-Replayed"] == "true")
            let other = try await rig.gateway.job(#""imageCount":2"#, headers: headers)
            #expect((other.status, other.useapiError != nil) == (422, true))
            #expect(rig.creates() == 1)
        }
    }

    @Test func `replies report the job's progress with the client's reference`() async throws {
        try await Recorder.run { log, url in
            try await Rig.run(
                settings: "callbacks: { allow: [127.0.0.0/8] }\nquery: { freshness: 50ms }", duration: 1000...1000
            ) { rig in
                let number = try await rig.gateway.jobNumber(
                    #""imageCount":2,"replyUrl":"\#(url)/hook","replyRef":"order 4711""#)
                try await eventually("the end is reported") { log.posts.last?.json["status_final"] as? Bool == true }
                let replies = log.posts.map(\.json)
                #expect(replies.first?["status_name"] as? String == "submitted")
                #expect(replies.allSatisfy { $0["replyRef"] as? String == "order 4711" })
                var last = try #require(replies.last)
                last["replyRef"] = nil
                let shown = try await rig.gateway.job(number).json
                #expect(NSDictionary(dictionary: last) == NSDictionary(dictionary: shown))
                #expect((last["works"] as? [Any])?.count == 2)
                #expect(log.posts.allSatisfy { $0.path == "/hook" })
            }
        }
    }
}
