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
        unsafe frame.append(contentsOf: statement.values)
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
///
/// A create binds 27 values, so they are encoded into plain memory: an array would check for each byte that nothing else
/// refers to it.
@safe final class RecordedStatement {
    // `space` has `capacity` bytes, of which the first `used` are initialized. Only this class has the pointer.
    let code: UInt16
    let sql: String
    private let recorder: RedoRecorder
    private var space: UnsafeMutableRawPointer
    private var capacity = 512
    private var used = 0
    fileprivate private(set) var count: UInt8 = 0

    init(_ code: UInt16, _ sql: String, _ recorder: RedoRecorder) {
        (self.code, self.sql, self.recorder) = (code, sql, recorder)
        unsafe space = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { unsafe space.deallocate() }

    func bindNull(_ index: Int32) { _ = unsafe begin(index, RedoTag.null, 0) }

    func bind(_ index: Int32, _ value: Int64) {
        let place = unsafe begin(index, RedoTag.integer, 8)
        unsafe place.storeBytes(of: value.littleEndian, as: Int64.self)
    }

    func bind(_ index: Int32, text: UnsafeBufferPointer<UInt8>) {
        unsafe bind(index, RedoTag.text, UnsafeRawBufferPointer(text))
    }

    func bind(_ index: Int32, blob: UnsafeRawBufferPointer) { unsafe bind(index, RedoTag.blob, blob) }

    private func bind(_ index: Int32, _ tag: UInt8, _ content: UnsafeRawBufferPointer) {
        let place = unsafe begin(index, tag, 4 + content.count)
        unsafe place.storeBytes(of: UInt32(content.count).littleEndian, as: UInt32.self)
        if let start = content.baseAddress { unsafe (place + 4).copyMemory(from: start, byteCount: content.count) }
    }

    /// The values of the run.
    fileprivate var values: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: space, count: used) }

    /// Adds the run to the recorder if it succeeded, and makes room for the next one.
    func end(succeeded: Bool) {
        if succeeded { recorder.add(self) }
        (used, count) = (0, 0)
    }

    /// Begins a value.
    /// - Returns: where its `size` bytes go.
    private func begin(_ index: Int32, _ tag: UInt8, _ size: Int) -> UnsafeMutableRawPointer {
        let start = used
        used += 2 + size
        if used > capacity { grow(keeping: start) }
        unsafe space.storeBytes(of: UInt8(index), toByteOffset: start, as: UInt8.self)
        unsafe space.storeBytes(of: tag, toByteOffset: start + 1, as: UInt8.self)
        count += 1
        return unsafe space + start + 2
    }

    private func grow(keeping count: Int) {
        capacity = max(used, 2 * capacity)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        unsafe larger.copyMemory(from: space, byteCount: count)
        unsafe space.deallocate()
        unsafe space = larger
    }
}

/// Values of a statement that SQLite does not run at once.
extension RecordedStatement: StatementParameters {
    func bind(_ index: Int32, _ value: Int64?) {
        if let value { bind(index, value) } else { bindNull(index) }
    }

    func bind(_ index: Int32, _ value: String?) {
        guard var value else { return bindNull(index) }
        value.withUTF8 { text in unsafe bind(index, text: text) }
    }

    func bind(_ index: Int32, _ value: [UInt8]?) {
        guard let value else { return bindNull(index) }
        unsafe value.withUnsafeBytes { bytes in unsafe bind(index, blob: bytes) }
    }

    func bind(_ index: Int32, _ value: TaskID?) {
        guard let value else { return bindNull(index) }
        unsafe value.withBytes { bytes in unsafe bind(index, blob: bytes) }
    }
}

extension TaskID {
    /// Calls `body` with the 16 bytes that databases have.
    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        var bytes = (high.bigEndian, low.bigEndian)
        unsafe withUnsafeBytes(of: &bytes) { bytes in unsafe body(bytes) }
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
