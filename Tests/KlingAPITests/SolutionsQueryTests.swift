import Foundation
import KlingAPI
import Testing

struct SolutionsQueryTests {
    private static let twenty = (1...20).map { String($0) }.joined(separator: ",")

    @Test(
        arguments: [
            ("task_ids=a", .taskIDs, ["a"]), ("task_ids=a,b", .taskIDs, ["a", "b"]),
            ("task_ids=a%2Cb", .taskIDs, ["a", "b"]),
            ("external_task_ids=order%201,%C3%A9+x", .externalTaskIDs, ["order 1", "é x"]),
            ("x=1&task_ids=a==&&flag", .taskIDs, ["a=="]), ("task_ids=&external_task_ids=a", .externalTaskIDs, ["a"]),
            ("task_ids=a,a", .taskIDs, ["a", "a"]), ("task_ids&external_task_ids=%2B", .externalTaskIDs, ["+"]),
        ] as [(String, SolutionsQuery.Key, [String])])
    func `a query names tasks by one kind of id`(text: String, key: SolutionsQuery.Key, ids: [String]) throws {
        #expect(try SolutionsQuery(query: text) == SolutionsQuery(key, ids))
    }

    @Test(
        arguments: [
            (nil, "task_ids"), ("", "task_ids"), ("x=1", "task_ids"), ("task_ids=", "task_ids"),
            ("Task_ids=a", "task_ids"),
            ("task_ids=a&external_task_ids=b", "external_task_ids"), ("task_ids=a&task_ids=b", "task_ids"),
            ("task_ids=\(twenty),21", "task_ids"), ("external_task_ids=a,,b", "external_task_ids"),
            ("task_ids=,", "task_ids"), ("task_ids=a,", "task_ids"), ("task_ids=%2C", "task_ids"),
            ("task_ids=%", "task_ids"), ("task_ids=%4", "task_ids"), ("task_ids=%zz", "task_ids"),
            ("external_task_ids=%FF", "external_task_ids"), ("task_ids=%E2%82", "task_ids"),
        ] as [(String?, String)])
    func `a query that does not name 1 to 20 tasks is refused`(text: String?, parameter: String) {
        let error = #expect(throws: ParameterError.self) { try SolutionsQuery(query: text) }
        #expect(error?.code == .invalidParameter && error?.parameter == parameter)
        #expect(error?.message.hasPrefix(parameter + " ") == true)
    }

    @Test func `a written query reads back`() throws {
        #expect(try SolutionsQuery(query: "task_ids=\(Self.twenty)").ids.count == 20)
        for key in SolutionsQuery.Key.allCases {
            let query = SolutionsQuery(key, ["815", "a b+c&d=é%/\u{1}", "~-._"])
            #expect(try SolutionsQuery(query: query.text) == query)
        }
        #expect(SolutionsQuery(.taskIDs, ["1/2", "\n"]).text == "task_ids=1%2F2,%0A")
    }

    // MARK: Lists

    private func list(_ text: String) throws(ParameterError) -> SolutionsList {
        try SolutionsList(body: Array(text.utf8))
    }

    @Test(arguments: [
        ("", SolutionsList()), ("{}", SolutionsList()),
        (#"{"future":[1],"cursor":"","limit":null,"filters":[]}"#, SolutionsList()),
        (#"{"start_time":1,"end_time":1}"#, SolutionsList(startTime: 1, endTime: 1)),
        (#"{"cursor":"c\u0022","limit":1}"#, SolutionsList(cursor: "c\"", limit: 1)),
        (
            #"{"limit":500,"filters":[{"key":"status","values":["succeeded","failed"],"x":1}]}"#,
            SolutionsList(statuses: [.succeed, .failed])
        ),
        (
            #"{"end_time":1781080794151,"filters":[{"key":"status","values":["processing"]}]}"#,
            SolutionsList(endTime: 1_781_080_794_151, statuses: [.processing])
        ),
    ])
    func `a list is read, and a written list reads back`(body: String, expected: SolutionsList) throws {
        #expect(try list(body) == expected)
        #expect(try SolutionsList(body: expected.json) == expected)
    }

    @Test(
        arguments: [
            ("[]", 1200, nil), ("{", 1200, nil), (#"{"limit":1,"limit":1}"#, 1200, nil),
            (#"{"start_time":"1"}"#, 1200, "start_time"), (#"{"start_time":-1}"#, 1201, "start_time"),
            (#"{"end_time":1.5}"#, 1201, "end_time"), (#"{"end_time":99999999999999999999}"#, 1201, "end_time"),
            (#"{"end_time":100000000000000}"#, 1201, "end_time"),
            (#"{"start_time":2,"end_time":1}"#, 1201, "start_time"),
            (#"{"cursor":5}"#, 1200, "cursor"), (#"{"limit":0}"#, 1201, "limit"), (#"{"limit":501}"#, 1201, "limit"),
            (#"{"limit":"5"}"#, 1200, "limit"), (#"{"limit":5.5}"#, 1201, "limit"),
            (#"{"filters":{}}"#, 1200, "filters"),
            (#"{"filters":[7]}"#, 1200, "filters[0]"), (#"{"filters":[{}]}"#, 1201, "filters[0].key"),
            (#"{"filters":[{"key":"model","values":["x"]}]}"#, 1201, "filters[0].key"),
            (#"{"filters":[{"key":7}]}"#, 1200, "filters[0].key"),
            (#"{"filters":[{"key":"status"}]}"#, 1201, "filters[0].values"),
            (#"{"filters":[{"key":"status","values":[]}]}"#, 1201, "filters[0].values"),
            (#"{"filters":[{"key":"status","values":"succeed"}]}"#, 1200, "filters[0].values"),
            (#"{"filters":[{"key":"status","values":["failed",1]}]}"#, 1200, "filters[0].values[1]"),
            (#"{"filters":[{"key":"status","values":["failed","done"]}]}"#, 1201, "filters[0].values[1]"),
            (
                #"{"filters":[{"key":"status","values":["failed"]},{"key":"status","values":["failed"]}]}"#, 1201,
                "filters"
            ),
            (#"{"filters":[{"key":"status","key":"status"}]}"#, 1200, nil),
        ] as [(String, Int, String?)])
    func `a bad member of a list is refused, giving its path`(body: String, code: Int, parameter: String?) {
        let error = #expect(throws: ParameterError.self) { try list(body) }
        #expect(error?.code.rawValue == code && error?.parameter == parameter)
        if let parameter { #expect(error?.message.hasPrefix(parameter + " ") == true) }
    }

    @Test(arguments: [
        (SolutionsList(), 10_000_000_000 - Solutions.defaultPeriod..<10_000_000_000),
        (SolutionsList(startTime: 5), 5..<10_000_000_000), (SolutionsList(startTime: 5, endTime: 9), 5..<9),
        (SolutionsList(startTime: 20_000_000_000), 10_000_000_000..<10_000_000_000),
        (SolutionsList(startTime: 9, endTime: 5), 5..<5), (SolutionsList(endTime: Int.min), Int.min..<Int.min),
    ])
    func `a list covers the last thirty days unless it names its times`(list: SolutionsList, times: Range<Int>) {
        #expect(list.times(now: 10_000_000_000) == times)
    }
}
