/// The format of a line of the log.
public enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object per line, for machines.
    case json
    /// Time, level, message and `key=value` pairs, for people.
    case text
}
