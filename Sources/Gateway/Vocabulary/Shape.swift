/// The API in whose format a path answers, including its errors.
public enum Shape: String, Sendable, CaseIterable {
    /// Kling's envelope, with the `error` object that OpenAI-style clients read beside its members.
    case kling
    /// Kling's new API: the same envelope around other task objects.
    case solutions
    /// OpenAI's: an error is the `error` object alone.
    case openAI = "openai"
    /// useapi.net's: an error is `{"error": text, "code": status}`.
    case useapi
}
