import Base
import Foundation
import KlingAPI
import Testing

/// Tasks of the older shape as clients of the newer shape see them.
struct SolutionsViewTests {
    private func task(_ text: String) throws -> TaskObject { try #require(TaskObject(Array(text.utf8))) }
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(arguments: [
        (
            #"{"task_id":"P","task_status":"submitted","task_info":{},"created_at":1,"updated_at":2}"#,
            #"{"id":"P","status":"submitted","create_time":1,"update_time":2,"message":"","outputs":[],"billing":[]}"#
        ),
        (
            #"{"task_id":"P","task_status":"failed","task_status_msg":"no \"human\"","task_info":{"external_task_id":"mine"}}"#,
            #"{"id":"P","status":"failed","external_id":"mine","message":"no \"human\"","outputs":[],"billing":[]}"#
        ),
        (
            #"{"task_id":"P","task_status":"succeeded","task_result":{"images":[{"index":0,"url":"u","watermark_url":"w","x":1},7]}}"#,
            #"{"id":"P","status":"succeed","message":"","outputs":[{"type":"image","url":"u","watermark_url":"w","x":1}],"billing":[]}"#
        ),
        (
            #"{"task_id":"P","final_unit_deduction":"1","new":{"a":[1.50]}}"#,
            #"{"id":"P","message":"","outputs":[],"billing":[{"charge_type":"unit","amount":"1"}],"new":{"a":[1.50]}}"#
        ),
        (
            #"{"task_id":"P","final_unit_deduction":0.5,"final_balance_deduction":{"quota":"0.5","list_price":"0.7"}}"#,
            #"{"id":"P","message":"","outputs":[],"billing":[{"charge_type":"unit","amount":"0.5"},{"charge_type":"cash","amount":"0.5","list_price":"0.7"}]}"#
        ),
        (
            #"{"task_id":"P","billing":[{"charge_type":"new","y":1}],"final_unit_deduction":"1"}"#,
            #"{"id":"P","message":"","outputs":[],"billing":[{"charge_type":"new","y":1}]}"#
        ),
        (
            #"{"task_id":"P","task_info":{"external_task_id":"e","parent":1},"task_result":{"images":[],"videos":[2]}}"#,
            #"{"id":"P","external_id":"e","task_info":{"parent":1},"task_result":{"videos":[2]},"message":"","outputs":[],"billing":[]}"#
        ),
        (
            #"{"task_id":"P","id":"kling","status":"x","message":"m","outputs":5,"external_task_id":"e","billing":"x","task_info":7}"#,
            #"{"id":"P","external_id":"e","message":"","outputs":[],"billing":[]}"#
        ),
        ("{}", #"{"message":"","outputs":[],"billing":[]}"#),
    ])
    func `a task gets the members of the newer shape and keeps unknown ones`(older: String, new: String) throws {
        #expect(text(try task(older).solutionsJSON) == new)
    }

    @Test func `a task that was just made is shown without a result`() throws {
        let older =
            #"{"task_id":"P","task_status":"submitted","task_status_msg":"","task_info":{"external_task_id":"e"},"#
            + #""created_at":1,"updated_at":2,"id":"kling","outputs":[],"final_unit_deduction":"1","new":1}"#
        #expect(
            text(try task(older).solutionsCreatedJSON)
                == #"{"task_id":"P","status":"submitted","create_time":1,"update_time":2,"external_id":"e","new":1}"#)
    }

    @Test func `a task from Kling is shown as it came`() throws {
        let new: [String: Any] = [
            "id": "815", "status": "succeed", "message": "", "create_time": 5, "update_time": 6, "external_id": "GW",
            "outputs": [["type": "image", "url": "https://x/y.png", "watermark_url": "https://x/w.png"]],
            "billing": [["charge_type": "cash", "amount": "0.07", "list_price": "0.1", "currency": "USD"]], "more": [1],
        ]
        let bytes = try [UInt8](JSONSerialization.data(withJSONObject: new))
        let shown = try members(try #require(TaskObject(solutions: bytes)).solutionsJSON)
        #expect(NSDictionary(dictionary: shown) == NSDictionary(dictionary: new))
    }

    @Test(
        arguments: [
            (
                #"{"billing":[{"charge_type":"unit","amount":"1","package_type":"image"}]}"#,
                [Billing(kind: .unit, amount: "1", packageType: "image")]
            ),
            (
                #"{"billing":[{"charge_type":"cash","amount":0.50,"currency":"USD","list_price":"1"}]}"#,
                [Billing(kind: .cash, amount: "0.50", currency: "USD", listPrice: "1")]
            ),
            (#"{"billing":[7,{"charge_type":"unit"},{"charge_type":"gold","amount":"1"},{"amount":"1"}]}"#, []),
            (#"{"billing":[{"charge_type":"unit","amount":"-1"},{"charge_type":"unit","amount":"1e3"}]}"#, []),
            (#"{"billing":[{"charge_type":"unit","amount":""},{"charge_type":"unit","amount":"1."}]}"#, []),
            (#"{"billing":[{"charge_type":"unit","amount":"1.2.3"},{"charge_type":"unit","amount":null}]}"#, []),
            (#"{"billing":[],"final_unit_deduction":"1"}"#, []), (#"{"billing":{}}"#, []),
            (#"{"final_unit_deduction":"0.5"}"#, [Billing(kind: .unit, amount: "0.5")]),
            (#"{"final_unit_deduction":1}"#, [Billing(kind: .unit, amount: "1")]),
            (#"{"final_unit_deduction":"a lot"}"#, []), (#"{"final_balance_deduction":"1"}"#, []),
            (#"{"final_balance_deduction":{"quota":"1"}}"#, [Billing(kind: .cash, amount: "1")]),
            ("{}", []),
        ] as [(String, [Billing])])
    func `a task's charges are read from either shape`(json: String, billing: [Billing]) throws {
        #expect(try task(json).billing == billing)
    }

    /// Seeded, so that a failure can be reproduced.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    @Test func `whatever is read is shown as valid JSON`() async throws {
        let seed = Array(
            (#"{"code":0,"data":[{"id":"815","status":"succeeded","message":"","create_time":5,"external_id":"GW","outputs":"#
                + #"[{"type":"image","url":"u\u00e9"}],"billing":[{"charge_type":"unit","amount":"1"}],"task_id":"815","x":[1]}]}"#)
                .utf8)
        var random = Random(state: 7)
        var read = 0
        for _ in 0..<5000 {
            var bytes = seed
            for _ in 0...Int.random(in: 0...2, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    bytes[place] = [0x22, 0x7B, 0x7D, 0x5B, 0x5D, 0x2C, 0x3A, 0x5C].randomElement(using: &random) ?? 0
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(place + 25, bytes.count)], at: place)
                }
            }
            _ = try? SolutionsList(body: bytes)
            _ = try? await TryOnRequest.parse(solutions: Bytes(bytes))
            _ = TaskObject(callback: bytes)
            guard let answer = SolutionsAnswer(bytes) else { continue }
            _ = answer.find("815", by: .taskIDs)
            for task in answer.tasks ?? [] {
                read += 1
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(throws: Never.self, "\(text)") {
                    _ = (try members(Array(task.json)), try members(task.solutionsJSON))
                    _ = try members(task.solutionsCreatedJSON)
                }
            }
        }
        #expect(read > 100)
    }
}
