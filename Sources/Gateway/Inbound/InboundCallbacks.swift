public import Base
internal import HTTPServer
public import KlingAPI
public import TaskStore

/// Handles what Kling's callbacks say. Its functions return quickly, because Kling waits.
public protocol CallbackReceiver: Sendable {
    /// The record of a task that Kling calls about.
    func record(of task: TaskID) async throws(StoreError) -> TaskRecord?
    /// Kling has reported this state of the task. The callback's signature is valid, and it names this task.
    func observed(_ task: TaskID, _ object: TaskObject) async
    /// A caller who knows the task's address says that something has happened, so Kling should be queried soon.
    func hint(_ task: TaskID) async
}

/// Kling's own callbacks: `POST /callbacks/kling/{token}`.
///
/// The token is the caller's only credential. A callback is trusted if Kling's signature (Standard Webhooks) matches
/// the account's secret. Otherwise it is only a hint, and the state is read from Kling. A forged or repeated one
/// changes nothing.
public struct InboundCallbacks: Sendable {
    /// The maximum size of a callback, in bytes.
    static let bodyLimit = 1 << 20

    private let tokens: CallbackTokens
    private let signatures: [String: [WebhookSignature]]
    private let receiver: any CallbackReceiver

    /// Creates the receiver.
    /// - Parameter secrets: the secrets of the accounts that sign, by name: two of an account while its secret is
    ///   rotated.
    public init(tokens: CallbackTokens, secrets: [String: [Secret]], receiver: any CallbackReceiver) {
        self.tokens = tokens
        signatures = secrets.mapValues { $0.compactMap { WebhookSignature($0) } }.filter { !$0.value.isEmpty }
        self.receiver = receiver
    }

    /// The header fields that prove a callback.
    struct Proof: Equatable {
        var id: String
        var timestamp: String
        var signature: String
    }

    /// Finds the task that a path's token names.
    /// - Throws: ``Cause/unknownPath`` if there is none.
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

    /// Handles a callback about a task.
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

    /// Handles the test callback of Kling's console, sent to the path without a token.
    /// - Throws: an error unless an account's secret verifies it.
    func receiveTest(_ body: [UInt8], _ proof: Proof?, now: Int) throws(GatewayError) {
        let all = signatures.values.joined()
        guard let proof, all.contains(where: { $0.proves(body, proof, now: now) }) else { throw .wrongSignature }
    }

    /// Whether the callback names the task: by Kling's id, or by the gateway's while Kling's is unknown.
    private static func isAbout(_ record: TaskRecord, _ object: TaskObject) -> Bool {
        if let upstreamID = record.upstreamID { return object.taskID == upstreamID }
        return object.taskID != nil && object.externalTaskID == record.id.description
    }
}

extension InboundCallbacks {
    /// Answers a callback.
    /// - Parameter token: the path's token; nil on the path for test callbacks, which has none.
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
            // The bytes are valid during the call; the array is a copy.
            return unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        } catch {
            throw GatewayError(error)
        }
    }

    /// The owner of callback bodies in the memory budget. No tenant has this name.
    private static let owner = "(kling)"

    /// The proof of a signed request; nil without a signature. Other missing fields make the proof invalid.
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
