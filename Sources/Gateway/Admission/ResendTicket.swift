internal import Base
internal import HTTPServer
internal import TaskStore

/// One request for a create, in the ledger: it hears what becomes of the answer, and says what becomes of the create.
final class ResendTicket: AnswerWatcher, @unchecked Sendable {
    // @unchecked: touched on the connection's loop alone, by the request's handler and by the server.

    /// Which content it is, and whose.
    let key: ResendKey
    private let resends: Resends
    /// How it stands with the client.
    private(set) var reader = ResendLedger.Reader()
    /// The entry; nil: it has none yet, or has given it up.
    private var number: Int?
    /// The first task of the entry.
    private(set) var task: TaskID
    /// The first task of the create that this one was attached to, as long as that has not come to nothing.
    private(set) var earlier: TaskID?
    private var isMade = false

    /// Gets an entry for a request: one of its own, or that of an earlier create. While it is undecided whether an earlier
    /// one's answer was read, it waits.
    /// - Throws: if the client has left meanwhile: nothing is made for it.
    init(_ key: ResendKey, of request: HTTPRequest, _ resends: Resends) async throws(GatewayError) {
        self.key = key
        self.resends = resends
        task = resends.nothing
        request.watchAnswer(self)
        while true {
            await resends.lookForClients(of: key, and: request)
            if reader.hasLeft, let age = request.body.inputAge { reader.sentAt = MonotonicTime.now + (.zero - age) }
            if reader.isLost || Task.isCancelled { throw GatewayError(.draining, "The client has left.") }
            switch resends.arrive(key, reader, request) {
            case .make(let number, let id): (self.number, task) = (number, id)
            case .attach(let number, let id): (self.number, task, earlier, isMade) = (number, id, id, true)
            case .wait(let number, let changes):
                await resends.change(of: number, since: changes)
                continue
            case .share(let number, let id):
                if let number { await resends.outcome(of: number) }
                (task, earlier, isMade) = (id, id, true)
            }
            return
        }
    }

    // MARK: The create

    /// There is a task, or may be one: whoever comes with the same content may be told of it.
    func made() {
        isMade = true
        if let number { resends.note(number) { ledger, now in ledger.made(number, now: now) } }
    }

    /// What it was attached to has made nothing: it makes a task of its own.
    /// - Throws: if the client has left meanwhile: nothing is made for it.
    func makeAnew() throws(GatewayError) {
        guard let number, let id = resends.makeAnew(number) else {
            throw GatewayError(.draining, "The client has left.")
        }
        (task, earlier, isMade) = (id, nil, false)
    }

    /// The request is answered with that status. What has made nothing need not be remembered.
    func answered(status: Int) {
        guard let number else { return }
        if !isMade {
            self.number = nil
            resends.end(number) { ledger, _ in ledger.madeNothing(number) }
        } else if status >= 500 {
            resends.note(number) { ledger, _ in ledger.inviteRetry(number) }
        }
    }

    /// The request is answered by other means: its entry is not needed.
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
        if let number { resends.end(number) { ledger, now in ledger.read(number, now: now) } }
    }

    func answerWasLost() {
        reader.isLost = true
        if let number { resends.end(number) { ledger, now in ledger.lost(number, now: now) } }
    }
}
