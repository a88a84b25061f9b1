import Foundation
import TaskStore
import TestKit
import Testing

@testable import Gateway

struct UnsavedPublicIDsTests {
    @Test func `an announced id counts at once, and only one that could not be recorded is in the file`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("told")
        let ids = UnsavedPublicIDs(path: path)
        let tasks = taskIDs(2)
        ids.announce(tasks[0])
        #expect(ids.contains(tasks[0]) && !FileManager.default.fileExists(atPath: path))
        await ids.insert(tasks[1])
        #expect(DurableLines(path).read() == ["\(tasks[1])"])
        ids.remove(tasks[0])
        await ids.settle()
        #expect(!ids.contains(tasks[0]) && FileManager.default.fileExists(atPath: path))
        ids.remove(tasks[1])
        await ids.settle()
        #expect(!ids.contains(tasks[1]) && !FileManager.default.fileExists(atPath: path))
    }

    @Test func `after a restart the ids of open creates are known, and the others are forgotten`() async throws {
        let folder = try TemporaryFolder()
        let tasks = taskIDs(2)
        let before = UnsavedPublicIDs(path: folder.path("told"))
        for task in tasks { await before.insert(task) }
        let after = UnsavedPublicIDs(path: folder.path("told"))
        after.recover(open: [tasks[1]])
        #expect(!after.contains(tasks[0]) && after.contains(tasks[1]))
    }

    @Test func `an id is known although the one before it was cut off in the file`() async throws {
        let folder = try TemporaryFolder()
        let tasks = taskIDs(1)
        try folder.write("01M8NJAECT05D", to: "told")
        await UnsavedPublicIDs(path: folder.path("told")).insert(tasks[0])
        let after = UnsavedPublicIDs(path: folder.path("told"))
        after.recover(open: tasks)
        #expect(after.contains(tasks[0]))
    }

    @Test func `an id that is removed while another is added stays in the file with it`() async throws {
        let folder = try TemporaryFolder()
        let tasks = taskIDs(2)
        let ids = UnsavedPublicIDs(path: folder.path("told"))
        await ids.insert(tasks[0])
        ids.remove(tasks[0])
        await ids.insert(tasks[1])
        let after = UnsavedPublicIDs(path: folder.path("told"))
        after.recover(open: tasks)
        #expect(after.contains(tasks[1]))
    }
}
