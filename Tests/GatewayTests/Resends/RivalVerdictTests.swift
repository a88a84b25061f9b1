import TaskStore
import Testing

@testable import Gateway

/// The table of ``RivalVerdict``, field by field.
struct RivalVerdictTests {
    private func rival(_ row: Int64, _ state: ForeignCreate.State) -> ForeignCreate {
        ForeignCreate(task: id(Int(row)), row: row, state: state)
    }

    /// - Parameter row: the newest task when the request came, if its client has left.
    private func verdict(_ rivals: ForeignCreate..., clientLeftBefore row: Int64? = nil) -> RivalVerdict {
        RivalVerdict(rivals, clientLeftBefore: row)
    }

    @Test func `a create whose answer cannot have been read is attached to, whoever has left`() {
        #expect(verdict(rival(9, .answering), rival(8, .open)) == .attach(id(8)))
        #expect(verdict(rival(9, .read), rival(8, .open), clientLeftBefore: 8) == .attach(id(8)))
    }

    @Test func `while another gateway answers, a client that waits is looked after`() {
        #expect(verdict(rival(9, .answering)) == .wait)
        #expect(verdict(rival(9, .read), rival(8, .answering)) == .wait)
    }

    @Test func `a client that has left shares what is being answered`() {
        #expect(verdict(rival(9, .answering), clientLeftBefore: 20) == .share(id(9)))
    }

    @Test func `a client that has left shares what was read if that began after its request came`() {
        #expect(verdict(rival(9, .read), clientLeftBefore: 8) == .share(id(9)))
        #expect(verdict(rival(9, .read), clientLeftBefore: 9) == .new)
    }

    @Test func `a client that waits wants a new task if the others were read`() {
        #expect(verdict(rival(9, .read)) == .new)
        #expect(verdict() == .new)
    }
}
