import Base
import KlingAPI
import KlingSimulator
import Testing

struct SolutionsTests {
    private static let start = Simulation.start

    @Test func `a task is made and found in the shapes of the newer API`() {
        var simulation = Simulation.speaking()
        let made = simulation.solve(Simulation.named("x"))
        let id = made.madeID
        #expect(made.status == 200 && made.code == 0 && id.count == 18)
        #expect(
            made.data?.text
                == #"{"task_id":"\#(id)","status":"submitted","create_time":\#(Self.start),"update_time":\#(Self.start),"#
                + #""external_id":"x"}"#)
        #expect(
            simulation.find("task_ids=\(id)").text.hasSuffix(
                #""data":[{"id":"\#(id)","status":"submitted","message":"","create_time":\#(Self.start),"#
                    + #""update_time":\#(Self.start),"external_id":"x","outputs":[],"billing":[]}]}"#))
        simulation.now += 10_000
        #expect(
            simulation.find("external_task_ids=x").text.hasSuffix(
                #""data":[{"id":"\#(id)","status":"succeed","message":"","create_time":\#(Self.start),"#
                    + #""update_time":\#(simulation.now),"external_id":"x","outputs":[{"type":"image","#
                    + #""url":"\#(Simulation.base)/results/\#(id)/0.png"}],"#
                    + #""billing":[{"charge_type":"unit","amount":"1","package_type":"image"}]}]}"#))
    }

    @Test func `a watermark is made only for a create that asks for it`() {
        var simulation = Simulation.speaking()
        let with = simulation.solve(["options": #"{"watermark":{"enabled":true}}"#]).madeID
        let without = simulation.solve(["options": #"{"watermark":{"enabled":false}}"#]).madeID
        simulation.now += 10_000
        let outputs = simulation.find("task_ids=\(with),\(without)").solutions.map { $0.objects("outputs")?.first }
        #expect(
            outputs.map { $0?.string("watermark_url") } == ["\(Simulation.base)/results/\(with)/watermark.png", nil])
        let marked = simulation.send("GET", "/results/\(with)/watermark.png")
        #expect(marked.status == 200)
        #expect(marked.bytes != simulation.send("GET", "/results/\(with)/0.png").bytes)
        #expect(simulation.send("GET", "/results/\(without)/watermark.png").status == 404)
    }

    @Test func `an instruction in the person's URL makes a task fail, which costs nothing`() {
        var simulation = Simulation.speaking()
        let instruction = Base64.encode(#"{"outcome":"failed","message":"no human","seconds":1}"#.utf8, .urlSafe)
        let id = simulation.solve(person: Simulation.person + "?simulate=" + instruction).madeID
        simulation.now += 1000
        let task = simulation.find("task_ids=" + id).solutions.first
        #expect(task?.string("status") == "failed" && task?.string("message") == "no human")
        #expect(task?.array("outputs")?.isEmpty == true && task?.array("billing")?.isEmpty == true)
    }

    @Test(arguments: [(SimulatedBilling.yuan, "0.5"), (.dollars, "0.07")])
    func `a task can be charged in money`(billing: SimulatedBilling, amount: String) {
        var simulation = Simulation.speaking { $0.billing = billing }
        let id = simulation.solve().madeID
        simulation.now += 10_000
        #expect(
            simulation.find("task_ids=" + id).solutions.first?.objects("billing")?.first?.text
                == #"{"charge_type":"cash","amount":"\#(amount)","cash_type":"balance","list_price":"\#(amount)","#
                + #""currency":"\#(billing.rawValue)"}"#)
    }

    @Test func `up to twenty tasks are found at once, and unknown ones are left out`() {
        var simulation = Simulation.speaking { $0.accounts[0].concurrency = nil }
        let ids = (0..<20).map { simulation.solve(Simulation.named("order \($0)")).madeID }
        #expect(simulation.find("task_ids=\(ids.joined(separator: ","))").solutionIDs == ids)
        #expect(simulation.find("task_ids=1,\(ids[3]),2").solutionIDs == [ids[3]])
        #expect(simulation.find("external_task_ids=order%205%2Corder%207,nobody").solutionIDs == [ids[5], ids[7]])
        #expect(simulation.find("external_task_ids=nobody").text.contains(#""data":[]"#))
        #expect(simulation.find("task_ids=order%205").solutionIDs.isEmpty, "each kind of id has its own parameter")
        #expect(simulation.find("external_task_ids=\(ids[5])").solutionIDs.isEmpty)
        simulation.authorization = "Bearer other-key"
        #expect(simulation.find("task_ids=\(ids[0])").solutionIDs.isEmpty)
    }

    @Test(arguments: [
        "", "task_ids=", "task_ids=,", "task_id=1", "task_ids=1&external_task_ids=x", "task_ids=1&external_task_ids=",
        "task_ids=\((1...21).map { String($0) }.joined(separator: ","))",
    ])
    func `a query for no tasks, too many tasks or both kinds of ids is refused`(query: String) {
        var simulation = Simulation.speaking()
        let answer = simulation.find(query)
        #expect(answer.status == 400)
        #expect(answer.code == 1201)
    }

    @Test func `a list is newest first, and its pages stay consistent while tasks are made`() {
        var simulation = Simulation.speaking { $0.accounts[0].concurrency = nil }
        var ids: [String] = []
        for _ in 0..<7 {
            ids.append(simulation.solve().madeID)
            simulation.now += 1
        }
        let first = simulation.page(#"{"limit":3}"#)
        #expect(first.solutionIDs == ids.reversed().prefix(3).map { $0 })
        #expect(first.data?.integer("count") == 3 && first.text.contains(#""has_more":true"#))
        simulation.solve()
        simulation.now += 1
        var (seen, cursor) = (first.solutionIDs, first.data?.string("next_cursor") ?? "")
        while !cursor.isEmpty {
            // A later page ignores the times.
            let page = simulation.page(#"{"limit":3,"cursor":"\#(cursor)","start_time":5,"end_time":6}"#)
            seen += page.solutionIDs
            cursor = page.data?.string("next_cursor") ?? ""
            #expect(page.text.contains(#""has_more":false"#) == cursor.isEmpty)
        }
        #expect(seen == ids.reversed())
        #expect(simulation.page().solutionIDs.count == 8)
    }

    @Test func `a list includes its start, excludes its end, and is filtered by status`() {
        var simulation = Simulation.speaking { $0.accounts[0].concurrency = nil }
        let instruction = Base64.encode(#"{"outcome":"failed","seconds":0}"#.utf8, .urlSafe)
        let failed = simulation.solve(person: Simulation.person + "?simulate=" + instruction).madeID
        simulation.now += 100
        let done = simulation.solve().madeID
        simulation.now += 10_000
        let young = simulation.solve().madeID
        #expect(simulation.page().solutionIDs == [done, failed], "the end is not included, and the default is now")
        simulation.now += 1
        func page(_ members: String) -> [String] { simulation.page("{\(members)}").solutionIDs }
        #expect(page("") == [young, done, failed])
        #expect(page(#""start_time":\#(Self.start + 100),"end_time":\#(Self.start + 10_100)"#) == [done])
        #expect(page(#""filters":[{"key":"status","values":["succeed"]}]"#) == [done])
        #expect(page(#""filters":[{"key":"status","values":["succeeded","failed"]}]"#) == [done, failed])
        #expect(page(#""filters":[{"key":"status","values":["processing"]}]"#) == [])
    }

    @Test(arguments: [
        ("", 1200), ("[]", 1200), (#"{"limit":0}"#, 1201), (#"{"limit":501}"#, 1201), (#"{"limit":"3"}"#, 1201),
        (#"{"start_time":-1}"#, 1201), (#"{"end_time":-9223372036854775808}"#, 1201), (#"{"end_time":1.5}"#, 1201),
        (#"{"start_time":2,"end_time":1}"#, 1201), (#"{"cursor":"?"}"#, 1201), (#"{"cursor":"MS8y"}"#, 1201),
        (#"{"cursor":"MTAvMS8vOA=="}"#, 0), (#"{"cursor":"MTAvMS9mYWlsZWQvOA=="}"#, 1201), (#"{"page":1}"#, 1201),
        (#"{"filters":[{"key":"status","values":[]}]}"#, 1201), (#"{"filters":[{"key":"kind","values":["a"]}]}"#, 1201),
        (#"{"filters":[{"key":"status","values":["done"]}]}"#, 1201), (#"{"filters":[{"key":"status"}]}"#, 1201),
        (#"{"filters":[1]}"#, 1201), (#"{"filters":[{"key":"status","values":[1]}]}"#, 1201),
    ])
    func `an invalid list is refused`(body: String, code: Int) {
        var simulation = Simulation.speaking()
        let answer = simulation.page(body)
        #expect(answer.code == code)
        #expect(answer.status == (code == 0 ? 200 : 400))
    }

    @Test func `a task is gone after thirty days`() {
        var simulation = Simulation.speaking()
        let id = simulation.solve(Simulation.named("x")).madeID
        simulation.now += 30 * 86_400_000 - 1
        #expect(simulation.find("task_ids=" + id).solutionIDs == [id])
        simulation.now += 1
        #expect(simulation.find("task_ids=" + id).solutionIDs.isEmpty)
        #expect(simulation.page(#"{"start_time":0}"#).solutionIDs.isEmpty)
        #expect(simulation.solve(Simulation.named("x")).code == 0)
    }
}
