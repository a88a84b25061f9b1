/// Why an answer is rejected.
enum AnswerFault: Error, Hashable {
    /// It is not valid HTTP, or its length is ambiguous.
    case malformed(String)
    /// It is over a limit.
    case tooLarge(String)

    static let head = AnswerFault.tooLarge("the head of the answer is over its limit")
    static let fields = AnswerFault.tooLarge("the answer has too many fields")
    static let interimAnswers = AnswerFault.tooLarge("too many interim answers")
    static let body = AnswerFault.tooLarge("the body of the answer is over its limit")
    static let trailers = AnswerFault.tooLarge("the trailers or chunk extensions of the answer are over their limit")
}
