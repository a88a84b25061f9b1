/// Collects the statements of a group of writes, as the next frame of the redo log.
final class RedoRecorder {
    /// The frame, whose header is still to be filled in.
    private(set) var frame = [UInt8](repeating: 0, count: RedoFrame.headerCount)
    /// Whether the log has the SQL of a statement, by its number.
    private var isKnown: [Bool] = []
    /// The statements whose SQL is in this frame for the first time, and where.
    private var news: [(code: UInt16, place: Int)] = []

    /// Whether nothing was collected.
    var isEmpty: Bool { frame.count == RedoFrame.headerCount }

    /// The end of what was collected so far, for ``drop(after:)``.
    var mark: Int { frame.count }

    /// Adds a statement that has just run.
    fileprivate func add(_ statement: RecordedStatement) {
        if !knows(statement.code) { introduce(statement) }
        frame.append(RedoTag.run)
        frame.append(statement.code)
        frame.append(statement.count)
        frame.append(contentsOf: statement.values)
    }

    /// Forgets what was collected after `mark`, because it was rolled back.
    func drop(after mark: Int) {
        frame.removeLast(frame.count - mark)
        while let last = news.last, last.place >= mark {
            isKnown[Int(last.code)] = false
            news.removeLast()
        }
    }

    /// Forgets everything that was collected.
    func drop() { drop(after: RedoFrame.headerCount) }

    /// Completes the frame for the log.
    func seal(sequence: Int64, identity: Int64) { RedoFrame.seal(&frame, sequence: sequence, identity: identity) }

    /// Starts the next frame. The log has the one before.
    func next() {
        news.removeAll(keepingCapacity: true)
        frame.removeLast(frame.count - RedoFrame.headerCount)
    }

    /// Starts the first frame of an empty log.
    func restart() {
        drop()
        isKnown = []
    }

    private func knows(_ code: UInt16) -> Bool { code < isKnown.count && isKnown[Int(code)] }

    private func introduce(_ statement: RecordedStatement) {
        while isKnown.count <= statement.code { isKnown.append(false) }
        isKnown[Int(statement.code)] = true
        news.append((statement.code, frame.count))
        frame.append(RedoTag.statement)
        frame.append(statement.code)
        frame.append(counted: Array(statement.sql.utf8))
    }
}

/// What a prepared statement that writes is bound to, in the form of the redo log.
final class RecordedStatement {
    let code: UInt16
    let sql: String
    private let recorder: RedoRecorder
    fileprivate private(set) var values: [UInt8] = []
    fileprivate private(set) var count: UInt8 = 0

    init(_ code: UInt16, _ sql: String, _ recorder: RedoRecorder) {
        (self.code, self.sql, self.recorder) = (code, sql, recorder)
    }

    func bindNull(_ index: Int32) { begin(index, RedoTag.null) }

    func bind(_ index: Int32, _ value: Int64) {
        begin(index, RedoTag.integer)
        values.append(UInt64(bitPattern: value))
    }

    func bind(_ index: Int32, text: UnsafeBufferPointer<UInt8>) {
        begin(index, RedoTag.text)
        unsafe values.append(counted: text)
    }

    func bind(_ index: Int32, blob: UnsafeRawBufferPointer) {
        begin(index, RedoTag.blob)
        unsafe values.append(counted: blob)
    }

    /// Adds the run to the recorder if it succeeded, and makes room for the next one.
    func end(succeeded: Bool) {
        if succeeded { recorder.add(self) }
        values.removeAll(keepingCapacity: true)
        count = 0
    }

    private func begin(_ index: Int32, _ tag: UInt8) {
        values.append(UInt8(index))
        values.append(tag)
        count += 1
    }
}

extension [UInt8] {
    /// Appends the number's bytes, the lowest first.
    fileprivate mutating func append(_ number: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: number.littleEndian) { unsafe append(contentsOf: $0) }
    }

    fileprivate mutating func append(counted content: some Collection<UInt8>) {
        append(UInt32(content.count))
        append(contentsOf: content)
    }
}
