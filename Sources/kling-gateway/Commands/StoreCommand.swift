internal import ArgumentParser
internal import Base
internal import Gateway
internal import GatewayConfiguration
internal import TaskStore

/// Works on stores as a whole.
struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Move a store to another database.", subcommands: [Copy.self])

    /// Copies a store.
    struct Copy: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a store that no gateway serves from, with its bodies, and compare the copy with it.",
            discussion:
                "FROM and TO are each sqlite:PATH or postgres://USER@HOST/DATABASE, as for the key `store`. TO must not "
                + "be a store yet: it becomes one when the copy is complete and equal. A copy that was interrupted goes on "
                + "where it ended if the command is given again. A gateway of the copy needs the same master key. "
                + "Queued creates and pictures of an SQLite store are in folders: beside PATH, and where `spool` says.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The store to copy.") var from: String
        @Argument(help: "Where the copy is made.") var to: String

        func run() throws {
            let (source, destination) = (try place(from, "FROM"), try place(to, "TO"))
            do {
                try DataCopy.run(from: source, to: destination) { progress in
                    printError("\(progress.part): \(progress.count) \(progress.isCheck ? "equal" : "copied")")
                }
            } catch {
                throw fail("\(error)")
            }
            print("the copy is complete and equal: \(StoreLocation(to).map { "\($0)" } ?? to)")
        }

        private func place(_ text: String, _ name: String) throws -> DataCopy.Place {
            switch StoreLocation(text) {
            case .sqlite(let path):
                // The folders of a gateway with this store.
                let storage = try options.load(flags: ["store": text], for: .administration).storage
                return .sqlite(
                    path: path,
                    folders: [
                        .queued: storage.spool, .hosted: storage.store.pictures, .uploaded: storage.store.assets,
                    ])
            case .postgres(let url, _): return .postgres(url: url.reveal())
            case nil: throw ValidationError("\(name) is neither sqlite:PATH nor postgres://USER@HOST/DATABASE")
            }
        }
    }
}
