import Testing

@testable import TaskStore

/// The redo log's frames and entries, without files.
@Suite struct RedoFrameTests {
    private let recorder = RedoRecorder()

    private func statement(_ code: UInt16 = 7, _ sql: String = "UPDATE t SET a = ?1") -> RecordedStatement {
        RecordedStatement(code, sql, recorder)
    }

    private func run(_ statement: RecordedStatement, _ value: Int64) {
        statement.bind(1, value)
        statement.end(succeeded: true)
    }

    /// Completes the recorder's frame and starts the next one.
    private func frame(_ sequence: Int64, identity: Int64 = 5) -> [UInt8] {
        recorder.seal(sequence: sequence, identity: identity)
        defer { recorder.next() }
        return recorder.frame
    }

    private func frames(_ log: [UInt8], identity: Int64 = 5) -> [Int64] {
        RedoFrame.frames(in: log, identity: identity).map(\.sequence)
    }

    /// A log of three frames.
    private func log(from first: Int64 = 1) -> [[UInt8]] {
        let statement = statement()
        return (first..<first + 3).map { sequence in
            run(statement, sequence)
            return frame(sequence)
        }
    }

    private func entries(_ frame: [UInt8]) -> [RedoEntry]? {
        RedoFrame.frames(in: frame, identity: 5).first.flatMap { RedoEntry.entries(in: $0.entries) }
    }

    @Test func `every kind of value comes back as it was bound`() {
        let statement = statement()
        statement.bind(1, -3)
        statement.bindNull(2)
        Array("тест".utf8).withUnsafeBufferPointer { unsafe statement.bind(3, text: $0) }
        [UInt8]().withUnsafeBytes { unsafe statement.bind(4, blob: $0) }
        [0, 255].withUnsafeBytes { unsafe statement.bind(5, blob: UnsafeRawBufferPointer(rebasing: $0[..<1])) }
        statement.end(succeeded: true)
        let values: [RedoValue.Content] = [.integer(-3), .null, .text(Array("тест".utf8)), .blob([]), .blob([0])]
        #expect(
            entries(frame(1)) == [
                .statement(7, sql: "UPDATE t SET a = ?1"),
                .run(7, values.enumerated().map { RedoValue(index: UInt8($0 + 1), content: $1) }),
            ])
    }

    @Test func `values of any length come back, in this run and the next`() {
        let statement = statement()
        for count in [3000, 1, 9000] {
            let long = [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count)
            statement.bind(1, Int64(count))
            long.withUnsafeBytes { unsafe statement.bind(2, blob: $0) }
            long.withUnsafeBufferPointer { unsafe statement.bind(3, text: $0) }
            statement.end(succeeded: true)
            let values: [RedoValue.Content] = [.integer(Int64(count)), .blob(long), .text(long)]
            let run = RedoEntry.run(7, values.enumerated().map { RedoValue(index: UInt8($0 + 1), content: $1) })
            #expect(entries(frame(1))?.last == run)
        }
    }

    @Test func `the SQL of a statement is written once, and again when the log restarts`() {
        let statement = statement()
        let count = { (frame: [UInt8]) in entries(frame)?.count }
        run(statement, 1)
        run(statement, 2)
        #expect(count(frame(1)) == 3)
        run(statement, 3)
        #expect(count(frame(2)) == 1)
        recorder.restart()
        run(statement, 4)
        #expect(count(frame(3)) == 2)
    }

    @Test func `what is rolled back leaves nothing, not even the SQL`() {
        let (kept, undone) = (statement(), statement(8, "DELETE FROM t"))
        run(kept, 1)
        let mark = recorder.mark
        run(kept, 2)
        undone.end(succeeded: true)
        recorder.drop(after: mark)
        undone.end(succeeded: true)
        undone.bind(1, 9)
        undone.end(succeeded: false)
        #expect(
            entries(frame(1)) == [
                .statement(7, sql: "UPDATE t SET a = ?1"), .run(7, [RedoValue(index: 1, content: .integer(1))]),
                .statement(8, sql: "DELETE FROM t"), .run(8, []),
            ])
    }

    @Test func `a log ends before a frame that was cut off or changed at any place`() {
        let log = log()
        let whole = Array(log.joined())
        #expect(frames(whole) == [1, 2, 3])
        let end = log[0].count + log[1].count
        for cut in end..<whole.count { #expect(frames(Array(whole[..<cut])) == [1, 2]) }
        for byte in end..<whole.count {
            var damaged = whole
            damaged[byte] ^= 0x10
            #expect(frames(damaged) == [1, 2])
        }
        #expect(frames(whole + [UInt8](repeating: 0, count: 100)) == [1, 2, 3])
    }

    @Test func `frames of an earlier use of the file, or of another store, are not read`() {
        let (old, new) = (log(), log(from: 4))
        // The first frame has the statement's SQL, so the new ones end inside the old ones, or exactly between two.
        recorder.restart()
        let restarted = log(from: 7)
        #expect(frames(restarted[0] + old[1] + old[2]) == [7])
        #expect(frames(new[0] + new[1] + old[2]) == [4, 5])
        #expect(frames(Array(old.joined()), identity: 6).isEmpty)
    }
}
