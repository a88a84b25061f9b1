import Foundation

/// A process and its children, as `/proc` shows them.
struct ProcessTree {
    let root: Int32

    /// The processes of a tree at one moment.
    struct Processes {
        let identifiers: [Int32]

        func signal(_ number: Int32) { for identifier in identifiers { kill(identifier, number) } }

        /// Waits until none of them runs. Blocks the thread.
        func waitForEnd() throws { try wait("end", inState: nil) }

        /// Waits until each is in a state or has ended: a child that ended while its parent is halted stays a zombie.
        fileprivate func wait(_ what: String, inState state: Substring?) throws {
            let deadline = Date(timeIntervalSinceNow: 30)
            while !identifiers.allSatisfy({ [nil, "Z", state].contains(ProcessTree.status(of: $0)?.state) }) {
                guard Date() < deadline else { throw TestKitError("the processes \(identifiers) did not \(what)") }
                usleep(2000)
            }
        }
    }

    /// The root and its children at this moment.
    func all() -> Processes {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let children = entries.compactMap { Int32($0) }.filter { Self.status(of: $0)?.parent == root }
        return Processes(identifiers: children + [root])
    }

    /// Halts the root, which then starts no more children, and its children.
    func halt() throws -> Processes {
        let root = Processes(identifiers: [root])
        root.signal(SIGSTOP)
        try root.wait("stop", inState: "T")
        let all = all()
        all.signal(SIGSTOP)
        try all.wait("stop", inState: "T")
        return all
    }

    fileprivate static func status(of process: Int32) -> (state: Substring, parent: Int32)? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            // The name of the program, in parentheses, may contain anything.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[end...].split(separator: " ")
        guard fields.count > 2, let parent = Int32(fields[2]) else { return nil }
        return (fields[1], parent)
    }
}
