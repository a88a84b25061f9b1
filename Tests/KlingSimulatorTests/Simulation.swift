import Base
import KlingAPI
import KlingSimulator

/// A platform without sockets, at a time that the test sets.
struct Simulation {
    static let start = 1_780_000_000_000
    static let base = "http://simulator"
    static let path = TryOn.path

    var platform: SimulatedPlatform
    var now = Self.start
    var authorization: String? = "Bearer plain-key"

    init(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) {
        var configuration = SimulatorConfiguration(accounts: Self.accounts)
        configuration.duration = 10_000...10_000
        change(&configuration)
        platform = SimulatedPlatform(configuration)
    }

    static let accounts = [
        SimulatedAccount(
            name: "first",
            keys: [.plain(Secret("plain-key")), .signed(accessKey: "ak", secretKey: Secret("sk"))], concurrency: 2),
        SimulatedAccount(name: "second", keys: [.plain(Secret("other-key"))]),
    ]

    static let picture = Base64.encode(SamplePictures.garment)

    /// The body of a valid create, with `members` in place of its own or added to them.
    static func create(_ members: [String: String] = [:]) -> [UInt8] {
        let own = ["human_image": #""https://pictures.example/person.png""#, "cloth_image": "\"\(picture)\""]
        let all = own.merging(members) { $1 }.sorted { $0.key < $1.key }
        return Array("{\(all.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ","))}".utf8)
    }

    mutating func send(
        _ method: String, _ path: String = Self.path, query: String? = nil, body: [UInt8] = []
    ) -> Answer {
        let headers = authorization.map { [(name: "Authorization", value: $0)] } ?? []
        let request = SimulatedRequest(method: method, path: path, query: query, headers: headers, body: body)
        return Answer(platform.answer(request, now: now, base: Self.base))
    }

    @discardableResult
    mutating func create(_ members: [String: String] = [:]) -> Answer {
        send("POST", body: Self.create(members))
    }

    mutating func query(_ id: String) -> Answer { send("GET", Self.path + "/" + id) }
    mutating func list(_ query: String? = nil) -> Answer { send("GET", query: query) }
}

/// An answer, read as Kling's if it is one.
struct Answer {
    let raw: SimulatedAnswer
    let bytes: [UInt8]
    let kling: KlingAnswer?

    init(_ raw: SimulatedAnswer) {
        self.raw = raw
        var bytes: [UInt8] = []
        for slice in raw.body.prefix(8) { slice.withUnsafeBytes { bytes += Array($0) } }
        self.bytes = bytes
        kling = KlingAnswer(bytes)
    }

    var status: Int { raw.status }
    var code: Int? { kling?.code.rawValue }
    var message: String { kling?.message ?? "" }
    var task: TaskObject? { kling?.task }
    var taskID: String { task?.taskID ?? "" }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
