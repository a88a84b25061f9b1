import Foundation
import TaskStore
import TestKit
import Testing

@testable import Gateway

struct UnsavedPublicIDsTests {
    @Test func `an announced id counts at once, and only ids that could not be recorded are in the file`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("told")
        let ids = UnsavedPublicIDs(path: path)
        let tasks = taskIDs(2)
        ids.announce(tasks[0])
        #expect(ids.contains(tasks[0]) && !FileManager.default.fileExists(atPath: path))
        ids.insert(tasks[1])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(tasks[1])\n")
        ids.remove(tasks[0])
        #expect(!ids.contains(tasks[0]) && FileManager.default.fileExists(atPath: path))
        ids.remove(tasks[1])
        #expect(!ids.contains(tasks[1]) && !FileManager.default.fileExists(atPath: path))
    }

    @Test func `after a restart the ids of open creates are known, and the others are forgotten`() throws {
        let folder = try TemporaryFolder()
        let tasks = taskIDs(2)
        let before = UnsavedPublicIDs(path: folder.path("told"))
        for task in tasks { before.insert(task) }
        let after = UnsavedPublicIDs(path: folder.path("told"))
        after.recover(open: [tasks[1]])
        #expect(!after.contains(tasks[0]) && after.contains(tasks[1]))
    }
}
