import TaskStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// A folder of a test's own, removed with everything in it.
final class StoreFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/task-store-XXXXXX".utf8CString)
        unsafe template.withUnsafeMutableBufferPointer { text in
            guard let start = text.baseAddress, unsafe mkdtemp(start) != nil else {
                fatalError("no temporary folder: errno \(errno)")
            }
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["gateway.db", "gateway.db-wal", "gateway.db-shm", "gateway.db.lock"] {
            for folder in ["", "/a/b", "/a"] { unsafe unlink("\(path)\(folder)/\(name)") }
        }
        for folder in ["/a/b", "/a", ""] { unsafe rmdir(path + folder) }
    }

    /// Where the store's file goes.
    var database: String { path + "/gateway.db" }
}

/// Makes records to put into a store.
struct Samples {
    private var ids = TaskIDGenerator()

    mutating func task(
        tenant: String = "shop", externalTaskID: String? = nil, account: String = "main", at time: Int64 = 1_000
    ) -> NewTask {
        NewTask(
            id: ids.next(at: time), tenant: tenant, account: account, externalTaskID: externalTaskID,
            model: "kolors-virtual-try-on-v1", callbackURL: "https://client.example/hook", createdAt: time)
    }

    static func acceptance(_ upstreamID: String, _ state: TaskState = .submitted, at time: Int64 = 2_000) -> Acceptance
    {
        Acceptance(
            upstreamID: upstreamID, publicID: upstreamID, state: state, statusWord: "\(state)",
            answer: Array(#"{"task_id":"\#(upstreamID)"}"#.utf8), at: time)
    }

    static func seen(_ state: TaskState?, word: String? = nil, answer: String? = nil, at time: Int64 = 3_000)
        -> Observation
    {
        let word = word ?? state.map { "\($0)" } ?? ""
        return Observation(state: state, statusWord: word, answer: answer.map { Array($0.utf8) }, at: time)
    }

    static func key(_ number: UInt8, tenant: String = "shop") -> NewKey {
        NewKey(
            id: "key_\(number)", tenant: tenant, bearerHash: Array(repeating: number, count: 32),
            accessKey: "ak_\(number)",
            sealedSecretKey: [1, 2, number], createdAt: Int64(number))
    }
}

/// What `body` throws, if it throws.
func failure<Value>(_ body: () async throws(StoreError) -> Value) async -> StoreError.Code? {
    do throws(StoreError) {
        _ = try await body()
        return nil
    } catch {
        return error.code
    }
}
