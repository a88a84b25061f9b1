import Testing

@testable import HTTPServer

/// Where a body ends in the input, and which of its bytes are data.
struct BodyFramerTests {
    /// What was made of an input.
    private struct Taken: Equatable {
        var count = 0
        var data = ""
        var isComplete = false
        var fault: ChunkFault?
    }

    /// Feeds `input` in pieces of `size` bytes, until the body ends or has a fault.
    private func take(_ input: String, by size: Int, from framer: inout BodyFramer) -> Taken {
        let bytes = Array(input.utf8)
        var taken = Taken()
        var data: [UInt8] = []
        do throws(ChunkFault) {
            while !framer.isComplete, taken.count < bytes.count {
                let piece = Array(bytes[taken.count..<min(taken.count + size, bytes.count)])
                let count = try framer.take(piece.span, room: .max) { data += piece[$0] }
                if count == 0 { break }
                taken.count += count
            }
        } catch {
            taken.fault = error
        }
        taken.data = String(decoding: data, as: UTF8.self)
        taken.isComplete = framer.isComplete
        return taken
    }

    @Test(
        arguments: [
            // The framing and the input; how much of it belongs to the body, the data, and whether the body has ended.
            (.none, "next", 0, "", true), (.length(3), "abcnext", 3, "abc", true), (.length(3), "abc", 3, "abc", true),
            (.length(5), "ab", 2, "ab", false), (.chunked, "3\r\nabc\r\n0\r\n\r\nnext", 13, "abc", true),
            (.chunked, "1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: u\r\n\r\nnext", 28, "abc", true),
            (.chunked, "0\r\n\r\n", 5, "", true), (.chunked, "a\r\n0123456", 10, "0123456", false),
            (.chunked, "3\r\nabc\r\n0\r\n", 11, "abc", false),
        ] as [(BodyFraming, String, Int, String, Bool)])
    func `a body ends where its framing says, however it is cut`(
        framing: BodyFraming, input: String, count: Int, data: String, isComplete: Bool
    ) {
        for size in [1, 2, 3, 100] {
            var framer = BodyFramer(framing, limit: .max)
            #expect(
                take(input, by: size, from: &framer) == Taken(count: count, data: data, isComplete: isComplete),
                "in pieces of \(size)")
        }
    }

    @Test(
        arguments: [
            ("2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 3, nil), ("4\r\n", 3, .tooLarge), ("2\r\nab\r\n2\r\n", 3, .tooLarge),
            ("x", 3, .malformed), ("1\r\nab", 3, .malformed), ("\r\n", 3, .malformed),
        ] as [(String, Int, ChunkFault?)])
    func `a chunked body that is broken or over the limit is a fault`(input: String, limit: Int, fault: ChunkFault?) {
        for size in [1, 100] {
            var framer = BodyFramer(.chunked, limit: limit)
            #expect(take(input, by: size, from: &framer).fault == fault)
        }
    }

    @Test(
        arguments: [
            // The framing, the input and the room; then how many bytes each call consumes.
            (.length(5), "abcdef", 2, [2, 2, 1, 0]), (.length(5), "abcdef", 5, [5, 0]),
            (.chunked, "5\r\nabcde\r\n0\r\n\r\n", 2, [5, 2, 8]), (.chunked, "5\r\nabcde\r\n0\r\n\r\n", 5, [15]),
            (.length(5), "abcdef", 0, [0]), (.chunked, "5\r\nabcde\r\n", 0, [3, 0]),
        ] as [(BodyFraming, String, Int, [Int])])
    func `no more data is taken than there is room for`(
        framing: BodyFraming, input: String, room: Int, counts: [Int]
    ) throws {
        var framer = BodyFramer(framing, limit: .max)
        var rest = Array(input.utf8)
        for count in counts {
            let piece = rest
            var size = 0
            #expect(try framer.take(piece.span, room: room) { size += $0.count } == count)
            #expect(size <= room)
            rest.removeFirst(count)
        }
    }

    @Test func `bytes that were read directly count like others`() throws {
        var framer = BodyFramer(.length(5), limit: .max)
        #expect(framer.plainRemainder == 5)
        framer.took(3)
        #expect(framer.plainRemainder == 2)
        #expect(take("abc", by: 100, from: &framer) == Taken(count: 2, data: "ab", isComplete: true))
        #expect(framer.plainRemainder == 0)
        #expect(BodyFramer(.none, limit: .max).plainRemainder == 0)
        #expect(BodyFramer(.chunked, limit: .max).plainRemainder == nil)
    }
}
