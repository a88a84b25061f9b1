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

extension AdmittedRequest {
    /// Makes something once, however often its request arrives.
    ///
    /// A request repeats an earlier one if it has its `Idempotency-Key`, or if it has no key but the content of a create
    /// whose answer cannot have been read.
    /// - Parameters:
    ///   - unanswered: what the first request with the key has made, if that request has ended without an answer.
    ///   - earlier: what the create of this task has made; nil: nothing. Waits for a create that is still open.
    ///   - make: makes it, and claims the key together with its record.
    /// - Throws: if the key was used with other content, or if its first request is still being answered.
    func once<Made>(
        _ content: RequestContent,
        unanswered: (IdempotencyRecord) async throws(GatewayError) -> Made?,
        earlier: (TaskID) async throws(GatewayError) -> Made?,
        make: (IdempotencyKey?) async throws(GatewayError) -> Made
    ) async throws(GatewayError) -> Creation<Made> {
        var key: IdempotencyKey?
        if let idempotent {
            let fingerprint = await content.sha256
            if let known = idempotent.known {
                try idempotent.checkContent(fingerprint)
                if let answer = known.answer { return .answered(answer, known) }
                guard let made = try await unanswered(known) else { throw .idempotencyKeyOpen }
                return .takenOver(made)
            }
            key = idempotent.claim(fingerprint)
        } else if let first = try await earlierCreate(of: content) {
            if let made = try await earlier(first) { return .repeated(made) }
            try note.resend?.startOver()
        }
        return .made(try await make(key))
    }

    /// Registers a create among those that are remembered until their answers are read.
    /// - Returns: the first task of an earlier create with the same content, if there is one.
    private func earlierCreate(of content: RequestContent) async throws(GatewayError) -> TaskID? {
        guard let resends else { return nil }
        let key = ResendKey(tenant: tenant, content: content.digest)
        let ticket = try await ResendTicket(key, of: request, resends)
        note.resend = ticket
        return ticket.earlier
    }
}
