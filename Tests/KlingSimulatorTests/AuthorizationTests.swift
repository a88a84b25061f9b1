import Base
import KlingAPI
import KlingSimulator
import Testing

struct AuthorizationTests {
    private static let seconds = Simulation.start / 1000

    /// A token signed at `time`, in seconds since 1970.
    private static func token(_ accessKey: String = "ak", _ secretKey: String = "sk", at time: Int = seconds) -> String
    {
        "Bearer " + TokenSigner(accessKey: accessKey, secretKey: Secret(secretKey)).token(now: time)
    }

    private static let table: [(field: String?, code: Int)] = [
        (token(), 0),
        ("Bearer plain-key", 0),
        (nil, 1001),
        ("", 1001),
        ("plain-key", 1002),
        ("Bearer  plain-key", 1002),
        ("Basic cGxhaW46a2V5", 1002),
        ("Bearer nobody", 1002),
        ("Bearer ey.ey.ey", 1002),
        (token("nobody"), 1002),
        (token("ak", "another"), 1002),
        (token() + "x", 1002),
        (token(at: seconds + 5), 0),
        (token(at: seconds + 6), 1003),
        (token(at: seconds - 1799), 0),
        (token(at: seconds - 1800), 1004),
    ]

    @Test(arguments: table.indices)
    func `a token's signature and times are checked to the second`(index: Int) {
        let row = Self.table[index]
        var simulation = Simulation()
        simulation.authorization = row.field
        let answer = simulation.list()
        #expect(answer.code == row.code)
        #expect(answer.status == (row.code == 0 ? 200 : 401))
    }

    @Test func `the keys of an account share its tasks and slots`() {
        var simulation = Simulation()
        let made = simulation.create()
        simulation.authorization = Self.token()
        #expect(simulation.query(made.taskID).code == 0)
        #expect(simulation.create().code == 0)
        #expect(simulation.create().code == 1303)
    }

    @Test func `if no token is required, a wrong one opens the first account and a right one its own`() {
        var simulation = Simulation { $0.requireTokens = false }
        simulation.authorization = nil
        simulation.create()
        simulation.authorization = "Bearer other-key"
        simulation.create()
        #expect(simulation.platform.tasks.map(\.account) == ["first", "second"])
    }
}
