public import Base
internal import HTTPServer
public import KlingAPI
public import TaskStore

/// What is made of Kling's calls. Its functions return quickly: Kling waits.
public protocol CallbackReceiver: Sendable {
    /// The record of a task that Kling calls about.
    func record(of task: TaskID) async throws(StoreError) -> TaskRecord?
    /// Kling has said this of the task: proven by its signature, and about no other task.
    func observed(_ task: TaskID, _ object: TaskObject) async
    /// Somebody who knows the task's address says that something has happened: Kling should be asked soon.
    func hint(_ task: TaskID) async
}

/// Kling's own callbacks: `POST /callbacks/kling/{token}`.
///
/// The token is the caller's only credential. What it says is believed if Kling's signature (Standard Webhooks) fits the
/// account's secret; else it is a hint, and the state is read from Kling. A forged or repeated one changes nothing.
public struct InboundCallbacks: Sendable {
    /// The most bytes of a callback.
    static let bodyLimit = 1 << 20

    private let tokens: CallbackTokens
    private let signatures: [String: [WebhookSignature]]
    private let receiver: any CallbackReceiver

    /// Receives callbacks.
    /// - Parameter secrets: of the accounts that sign, by name: two of each while one takes the other's place.
    public init(tokens: CallbackTokens, secrets: [String: [Secret]], receiver: any CallbackReceiver) {
        self.tokens = tokens
        signatures = secrets.mapValues { $0.compactMap { WebhookSignature($0) } }.filter { !$0.value.isEmpty }
        self.receiver = receiver
    }

    /// The header fields that matter.
    struct Proof: Equatable {
        var id: String
        var timestamp: String
        var signature: String
    }

    /// Finds the task of a path's token.
    /// - Throws: what an unknown path is answered with.
    func record(of token: String) async throws(GatewayError) -> TaskRecord {
        guard let task = tokens.task(of: token) else { throw .unknownPath }
        let record: TaskRecord?
        do {
            record = try await receiver.record(of: task)
        } catch {
            throw GatewayError(error)
        }
        guard let record else { throw .unknownPath }
        return record
    }

    /// Takes in a callback about a task.
    /// - Parameters:
    ///   - proof: nil if it isn't signed.
    ///   - now: seconds since 1970.
    func receive(
        _ body: [UInt8], _ proof: Proof?, about record: TaskRecord, now: Int
    ) async throws(GatewayError) {
        let isProven = try isProven(body, proof, of: record.account, now: now)
        guard let object = TaskObject(callback: body) else {
            throw GatewayError(.malformedBody, "The body is not a JSON object.")
        }
        if isProven, object.status != nil, Self.isAbout(record, object) {
            await receiver.observed(record.id, object)
        } else {
            await receiver.hint(record.id)
        }
    }

    private func isProven(
        _ body: [UInt8], _ proof: Proof?, of account: String?, now: Int
    ) throws(GatewayError) -> Bool {
        guard let signatures = account.flatMap({ signatures[$0] }), let proof else { return false }
        guard signatures.contains(where: { $0.proves(body, proof, now: now) }) else { throw .wrongSignature }
        return true
    }

    /// Takes in what the console's button for a test sends, to the address without a token.
    /// - Throws: unless an account has signed it.
    func receiveTest(_ body: [UInt8], _ proof: Proof?, now: Int) throws(GatewayError) {
        let all = signatures.values.joined()
        guard let proof, all.contains(where: { $0.proves(body, proof, now: now) }) else { throw .wrongSignature }
    }

    /// Whether Kling names the task: by its own id, or by the one that the gateway gave it.
    private static func isAbout(_ record: TaskRecord, _ object: TaskObject) -> Bool {
        if let upstreamID = record.upstreamID { return object.taskID == upstreamID }
        return object.taskID != nil && object.externalTaskID == record.id.description
    }
}

extension InboundCallbacks {
    /// Answers a request on the path of a token.
    /// - Parameter token: nil on the path without one, which is the test's.
    func answer(_ request: HTTPRequest, token: String?, requestID: String) async throws(GatewayError) -> HTTPResponse {
        let proof = Self.proof(request.headers)
        if let token {
            let record = try await record(of: token)
            try await receive(try await body(of: request), proof, about: record, now: Int(WallClock.seconds))
        } else {
            try receiveTest(try await body(of: request), proof, now: Int(WallClock.seconds))
        }
        let json = JSONWriter.object { answer in
            answer.member("code", KlingCode.ok.rawValue)
            answer.member("message", KlingCode.ok.meaning)
            answer.member("request_id", requestID)
        }
        return Answer.success(json, requestID: requestID)
    }

    private func body(of request: HTTPRequest) async throws(GatewayError) -> [UInt8] {
        do {
            let bytes = try await request.body.collect(limit: Self.bodyLimit, owner: Self.owner)
            // The block lends its bytes for the copy.
            return unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        } catch {
            throw GatewayError(error)
        }
    }

    /// On whose account bodies are held: no tenant is called so.
    private static let owner = "(kling)"

    /// The proof of a request that has a signature; what is missing beside it makes it a wrong one.
    private static func proof(_ headers: HTTPHeaders) -> Proof? {
        guard let signature = headers["webhook-signature"] else { return nil }
        return Proof(
            id: headers["webhook-id"] ?? "", timestamp: headers["webhook-timestamp"] ?? "", signature: signature)
    }
}

extension WebhookSignature {
    fileprivate func proves(_ body: [UInt8], _ proof: InboundCallbacks.Proof, now: Int) -> Bool {
        verify(id: proof.id, timestamp: proof.timestamp, body: body, header: proof.signature, now: now)
    }
}

extension GatewayError {
    fileprivate static let wrongSignature = GatewayError(
        .invalidCredentials, "The signature is wrong or missing, or its time is more than five minutes away.")
}
