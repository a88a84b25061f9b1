internal import GRDB

extension SQLiteTaskStore {
    /// Reads what tells a store from others, without opening the store for anything else.
    ///
    /// This blocks the thread.
    /// - Returns: a number as text; nil if there is no store at `path`, or an old one that no process of this version
    ///   has opened.
    public static func identity(ofStoreAt path: String) -> String? {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(1)
        let number = try? DatabaseQueue(path: path, configuration: configuration).read { database in
            try Replay(database: database).mark()?.identity
        }
        return (number ?? nil).map { String($0) }
    }
}
