internal import TaskStore

/// What a create has led to.
enum Creation<Made: Sendable>: Sendable {
    /// Something new.
    case made(Made)
    /// What the first request with the `Idempotency-Key` has made: it has lost its client, so this one is answered.
    case takenOver(Made)
    /// What an earlier create with the same content has made, whose answer was not read.
    case repeated(Made)
    /// The answer to the first request with the `Idempotency-Key`.
    case answered(StoredAnswer, IdempotencyRecord)
}

/// What is known about earlier requests that a create repeats.
enum Precedent: Sendable {
    /// There is none: it is a new create, which claims this `Idempotency-Key`.
    case new(IdempotencyKey?)
    /// The first request with the `Idempotency-Key` has ended without an answer.
    case unanswered(IdempotencyRecord)
    /// The answer to the first request with the `Idempotency-Key`.
    case answered(StoredAnswer, IdempotencyRecord)
    /// The create of this task has the same content, and its answer was not read. If it has made nothing, this request
    /// starts over.
    case earlier(TaskID)
}

extension AdmittedRequest {
    /// Makes something once, however often its request arrives.
    /// - Parameters:
    ///   - unanswered: what the first request with the key has made, if that request has ended without an answer.
    ///   - earlier: what the create of this task has made; nil: nothing. Waits for a create that is still open.
    ///   - make: makes it, and claims the key together with its record.
    /// - Throws: if the key was used with other content, or if its first request is still being answered.
    ///
    /// It is inlined, so that the closures need no asynchronous calls of their own.
    @inline(__always) func once<Made>(
        _ content: RequestContent,
        unanswered: (IdempotencyRecord) async throws(GatewayError) -> Made?,
        earlier: (TaskID) async throws(GatewayError) -> Made?,
        make: (IdempotencyKey?) async throws(GatewayError) -> Made
    ) async throws(GatewayError) -> Creation<Made> {
        var precedent = try await precedent(of: content)
        while true {
            switch precedent {
            case .new(let key):
                do { return .made(try await make(key)) } catch {
                    // Another gateway has recorded a create with the same content just before.
                    guard let first = note.resend?.earlier else { throw error }
                    precedent = .earlier(first)
                }
            case .answered(let answer, let known): return .answered(answer, known)
            case .unanswered(let known):
                guard let made = try await unanswered(known) else { throw .idempotencyKeyOpen }
                return .takenOver(made)
            case .earlier(let first):
                if let made = try await earlier(first) { return .repeated(made) }
                try note.resend?.startOver()
                precedent = .new(nil)
            }
        }
    }

    /// Finds what a create repeats.
    ///
    /// A request repeats an earlier one if it has its `Idempotency-Key`, or if it has no key but the content of a create
    /// whose answer cannot have been read.
    /// - Throws: if the key was used with other content.
    @inline(__always) private func precedent(of content: RequestContent) async throws(GatewayError) -> Precedent {
        guard let idempotent else {
            guard let resends else { return .new(nil) }
            let key = ResendKey(tenant: tenant, content: content.digest)
            // Remembered until its answer is read.
            let ticket = ResendTicket(key, of: request, resends)
            if try !ticket.enterAtOnce(request) { try await ticket.enter(request) }
            note.resend = ticket
            if resends.isShared { try await ticket.lookElsewhere() }
            return ticket.earlier.map { .earlier($0) } ?? .new(nil)
        }
        let fingerprint = await content.sha256
        guard let known = idempotent.known else { return .new(idempotent.claim(fingerprint)) }
        try idempotent.checkContent(fingerprint)
        return known.answer.map { .answered($0, known) } ?? .unanswered(known)
    }
}
