/// One request and its answer on one connection: what happens goes in, what to do comes out. Does no I/O.
///
/// It decides whether the request may be sent again: a POST never, once a byte of it may have been written.
struct Exchange {
    /// What has happened.
    @safe enum Event {
        /// Bytes of the request were written.
        case wrote(Int)
        /// Some bytes of the request may have been written, though none was reported as written.
        case mayHaveWritten
        /// The connection refuses bytes. It may still have an answer to read.
        case couldNotWrite
        /// Bytes were received. They are only read until `happened` returns.
        case received(UnsafeRawBufferPointer)
        /// The peer has ended the connection; `isClean` is false if something may have been cut off.
        case ended(isClean: Bool)
        /// The connection was reset, or its TLS has failed.
        case broke
    }

    /// What to do next.
    enum Action: Hashable {
        /// Write if ``Exchange/wantsToWrite``, and wait for what happens.
        case proceed
        /// Deliver the answer.
        case deliver
        /// Close the connection, and send the request on a new one.
        case sendElsewhere
        /// Close the connection, and report the error.
        case fail(HTTPClientError.Code, String)
    }

    private(set) var answer: AnswerParser
    private let isPost: Bool
    private let isReused: Bool
    private let count: Int
    private var left: Int
    private var stopsWriting = false
    private var hasExtraBytes = false

    /// Whether a byte of the request may have been written.
    private(set) var wasSent = false
    /// Whether the connection may carry another request. Known once the answer is delivered.
    private(set) var keepsConnection = false

    /// - Parameters:
    ///   - count: the size of the request in bytes, its head included.
    ///   - isReused: whether the connection has carried a request before.
    ///   - headers: fields that nothing needs, whose memory is used again.
    init(
        _ method: HTTPClientRequest.Method, count: Int, isReused: Bool, limits: AnswerParser.Limits,
        over headers: HTTPClientHeaders = .init()
    ) {
        isPost = method == .post
        self.count = count
        left = count
        self.isReused = isReused
        answer = AnswerParser(limits, over: headers)
    }

    /// Whether there is more of the request to write.
    var wantsToWrite: Bool { left > 0 && !stopsWriting }

    /// How many bytes of the request were written.
    var written: Int { count - left }

    /// Processes an event.
    mutating func happened(_ event: Event) -> Action {
        switch event {
        case .wrote(let count):
            left -= count
            if count > 0 { wasSent = true }
            return answer.isComplete && left == 0 ? deliver() : .proceed
        case .mayHaveWritten:
            wasSent = true
            return .proceed
        case .couldNotWrite:
            if !wasSent, !answer.hasReceived { return giveUp("the connection refuses the request") }
            stopsWriting = true
            return answer.isComplete ? deliver() : .proceed
        case .received(let bytes): return unsafe received(bytes)
        case .ended(let isClean):
            stopsWriting = true
            return answer.end(isClean: isClean) ? deliver() : giveUp("the peer has closed the connection")
        case .broke:
            stopsWriting = true
            return answer.isComplete ? deliver() : giveUp("the connection was reset")
        }
    }

    private mutating func received(_ bytes: UnsafeRawBufferPointer) -> Action {
        do throws(AnswerFault) {
            let used = unsafe try answer.take(bytes)
            // Bytes after the answer belong to nothing that was asked for.
            if used < bytes.count { hasExtraBytes = true }
            // The rest of a request that was refused is not read by anyone.
            if answer.hasHead, left > 0, answer.status >= 400 || !answer.isPersistent { stopsWriting = true }
            // The rest of a request that was accepted may still be needed.
            return answer.isComplete && !wantsToWrite ? deliver() : .proceed
        } catch {
            switch error {
            case .malformed(let detail): return .fail(.malformed, detail)
            case .tooLarge(let detail): return .fail(.tooLarge, detail)
            }
        }
    }

    private mutating func deliver() -> Action {
        keepsConnection = answer.isPersistent && left == 0 && !stopsWriting && !hasExtraBytes
        return .deliver
    }

    /// Nothing comes any more: decides whether to send the request again.
    private func giveUp(_ detail: String) -> Action {
        let isUnheard = !answer.hasReceived
        if isReused, isUnheard, !isPost || !wasSent { return .sendElsewhere }
        if isPost, wasSent, !answer.hasBegun { return .fail(.sendInterrupted, detail) }
        return .fail(.closed, detail)
    }
}
