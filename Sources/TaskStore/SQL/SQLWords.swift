/// Parts of statements.
enum SQLWords {
    /// Stands for a condition that only rows of this process meet, where several processes share a store.
    static let own = "/* own */"

    /// Stands for whether a task belongs to another process. In SQLite, none does.
    static let isForeign = "0 /* is foreign */"

    /// The smaller of two values, in every database's words.
    static func smaller(_ one: String, _ other: String) -> String {
        "CASE WHEN \(one) < \(other) THEN \(one) ELSE \(other) END"
    }

    /// The larger of two values.
    static func larger(_ one: String, _ other: String) -> String {
        "CASE WHEN \(one) > \(other) THEN \(one) ELSE \(other) END"
    }
}
