internal import Base
internal import HTTPServer
internal import TaskStore

/// A create request in the ledger. It is told whether the answer was read, and records the outcome of the create.
final class ResendTicket: AnswerWatcher, @unchecked Sendable {
    // @unchecked: used only on the connection's loop, by the request's handler and by the server.

    /// The tenant and the content.
    let key: ResendKey
    private let resends: Resends
    /// The state of the client.
    private(set) var reader = ResendLedger.Reader()
    /// The number of the entry; nil before it has one, and after it has given it up.
    private var number: Int?
    /// The first task of the entry.
    private(set) var task: TaskID
    /// The first task of the create that this one is attached to, unless that create has made nothing.
    private(set) var earlier: TaskID?
    private var isMade = false
    /// Whether the answer asks its client to retry, so that it does not end the create even if it is read.
    private var invitesRetry = false
    /// Which creates of other gateways the store has to check for when the task is recorded; nil: none.
    private(set) var rivals: RivalCreates?

    init(_ key: ResendKey, of request: HTTPRequest, _ resends: Resends) {
        self.key = key
        self.resends = resends
        task = resends.nothing
        request.watchAnswer(self)
    }

    /// Gets an entry for the request: a new one, or that of an earlier create. Waits while it is undecided whether the
    /// answer of an earlier one was read.
    /// - Throws: if the client has left in the meantime; then nothing is made for it.
    func enter(_ request: HTTPRequest) async throws(GatewayError) {
        while true {
            if !resends.clientsInDoubt(of: key, and: request).isEmpty {
                await resends.lookForClients(of: key, and: request)
            }
            switch try arrive(request) {
            case nil: return
            case .change(let number, let changes): await resends.change(of: number, since: changes)
            case .outcome(let number, let id):
                await resends.outcome(of: number)
                (task, earlier, isMade) = (id, id, true)
                return
            }
        }
    }

    /// Does the same as ``enter(_:)`` if there is nothing to wait for, as for most creates.
    /// - Returns: whether it did.
    func enterAtOnce(_ request: HTTPRequest) throws(GatewayError) -> Bool {
        guard resends.clientsInDoubt(of: key, and: request).isEmpty else { return false }
        return try arrive(request) == nil
    }

    /// What a request waits for before it gets an entry.
    private enum Wait: Equatable {
        /// A change of an entry since `changes`.
        case change(Int, changes: Int)
        /// The outcome of an entry's create, whose first task this is.
        case outcome(Int, TaskID)
    }

    /// - Returns: nil if the request has its entry, or needs none.
    private func arrive(_ request: HTTPRequest) throws(GatewayError) -> Wait? {
        if reader.hasLeft, let age = request.body.inputAge { reader.sentAt = MonotonicTime.now + (.zero - age) }
        if reader.isLost || Task.isCancelled { throw GatewayError(.draining, "The client has left.") }
        switch resends.arrive(key, reader, request) {
        case .make(let number, let id): (self.number, task) = (number, id)
        case .attach(let number, let id): (self.number, task, earlier, isMade) = (number, id, id, true)
        case .wait(let number, let changes): return .change(number, changes: changes)
        case .share(let number?, let id): return .outcome(number, id)
        case .share(nil, let id): (task, earlier, isMade) = (id, id, true)
        }
        return nil
    }

    // MARK: Other gateways

    /// How often other gateways' creates are looked at while a client of theirs may still wait for its answer: until a
    /// gateway that has died counts as a suspect.
    private static let looks = 6

    /// Looks whether other gateways have creates with the same content. If the request is the same as one of them, it is
    /// attached to that one: see ``earlier``.
    /// - Throws: if the client has left in the meantime; then nothing is made for it.
    func lookElsewhere() async throws(GatewayError) {
        guard earlier == nil, let number else { return }
        for look in 1...Self.looks {
            let (found, rivals) = try await resends.creates(elsewhere: key)
            self.rivals = rivals
            if found.isEmpty { return }
            switch RivalVerdict(found, clientLeftBefore: try await newestTaskIfClientHasLeft(number)) {
            case .new: return
            case .attach(let id):
                (task, earlier, isMade) = (id, id, true)
                return resends.note(number) { ledger, now in ledger.attach(number, to: id, now: now) }
            case .share(let id):
                (task, earlier, isMade, self.number) = (id, id, true, nil)
                return resends.note(number) { ledger, _ in ledger.madeNothing(number) }
            case .wait: guard look < Self.looks, await resends.waitForOthers() else { return }
            }
        }
    }

    /// Looks elsewhere once more, because another gateway has recorded a create with the same content.
    /// - Returns: whether the request is not the same as that.
    func isNewElsewhere() async -> Bool {
        do { try await lookElsewhere() } catch { return false }
        return earlier == nil
    }

    /// Checks whether the client is still there.
    /// - Returns: if it has left, the newest task at the time when its request reached this machine.
    private func newestTaskIfClientHasLeft(_ number: Int) async throws(GatewayError) -> Int64? {
        let body = resends.request(of: number)
        await body?.lookForClient()
        if reader.isLost || Task.isCancelled { throw GatewayError(.draining, "The client has left.") }
        if !reader.hasLeft { return nil }
        if reader.sentAt == nil, let age = body?.inputAge { reader.sentAt = MonotonicTime.now + (.zero - age) }
        return reader.sentAt.map { resends.newestTask(at: $0) } ?? 0
    }

    // MARK: The create

    /// Records that there is a task, or may be one, so that a request with the same content can be told of it.
    func made() {
        isMade = true
        if let number { resends.note(number) { ledger, now in ledger.made(number, now: now) } }
    }

    /// Gives it a task of its own, because the create that it was attached to has made nothing.
    /// - Throws: if the client has left in the meantime; then nothing is made for it.
    func startOver() throws(GatewayError) {
        guard let number, let id = resends.startOver(number) else {
            throw GatewayError(.draining, "The client has left.")
        }
        (task, earlier, isMade) = (id, nil, false)
    }

    /// Records that the request is answered with `status`. A create that made nothing need not be remembered.
    func answered(status: Int) {
        invitesRetry = isMade && status >= 500
        guard let number else { return }
        if !isMade {
            self.number = nil
            resends.note(number) { ledger, _ in ledger.madeNothing(number) }
        } else if invitesRetry {
            resends.note(number) { ledger, _ in ledger.inviteRetry(number) }
        }
    }

    /// Gives up the entry, because the request is answered in another way.
    func withdraw() {
        isMade = false
        answered(status: 200)
    }

    // MARK: AnswerWatcher

    func clientHasFinished() {
        reader.hasLeft = true
        if let number { resends.note(number) { ledger, _ in ledger.left(number) } }
    }

    func answerWasAcknowledged() {
        if let number { resends.note(number) { ledger, now in ledger.read(number, now: now) } }
        // The create may be another gateway's, or be known to one from before it was taken over.
        if let earlier, !invitesRetry, resends.isShared { resends.wasRead(attachedTo: earlier) }
    }

    func answerWasLost() {
        reader.isLost = true
        if let number { resends.note(number) { ledger, now in ledger.lost(number, now: now) } }
    }
}
