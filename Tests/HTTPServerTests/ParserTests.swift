import Testing

@testable import HTTPServer

struct ParserTests {
    /// The parser's verdict on `bytes` cut at `cuts`, as text.
    private func verdict(_ bytes: [UInt8], cuts: [Int]) -> String {
        var parser = HeadParser(limits: HeadLimits())
        var start = 0
        var total = 0
        for end in cuts + [bytes.count] where end > start {
            let piece = Array(bytes[start..<end])
            let (consumed, outcome) = parser.parse(piece.span)
            total += consumed
            switch outcome {
            case .incomplete: #expect(consumed == piece.count)
            case .complete(let head, let rules):
                return "\(total) \(head.method) \(head.version) \(head.ranges) \(rules)"
            case .refused(let fault, _): return "\(fault)"
            }
            start = end
        }
        return "incomplete"
    }

    /// The decoder's verdict on `bytes` cut at `cuts`, as text.
    private func chunkVerdict(_ bytes: [UInt8], cuts: [Int]) -> String {
        var decoder = ChunkedDecoder(limit: 1 << 20)
        var data: [UInt8] = []
        var start = 0
        var total = 0
        for end in cuts + [bytes.count] where end > start {
            let piece = Array(bytes[start..<end])
            do throws(ChunkFault) {
                total += try decoder.decode(piece.span) { data += piece[$0] }
            } catch { return "\(error)" }
            start = end
            if decoder.isComplete { break }
        }
        return "\(decoder.isComplete) \(total) \(data)"
    }

    @Test func `each case is parsed the same however it is cut`() {
        for item in HostileCase.all where item.bytes.count < 2000 {
            let whole = verdict(item.bytes, cuts: [])
            let body = item.bytes.indices.first { item.bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) }.map {
                $0 + 4
            }
            let chunks = Array(item.bytes[(body ?? item.bytes.count)...])
            #expect(verdict(item.bytes, cuts: Array(item.bytes.indices)) == whole, "\(item.name)")
            #expect(chunkVerdict(chunks, cuts: Array(chunks.indices)) == chunkVerdict(chunks, cuts: []), "\(item.name)")
            for cut in item.bytes.indices {
                #expect(verdict(item.bytes, cuts: [cut]) == whole, "\(item.name) at \(cut)")
            }
        }
    }

    @Test func `damaged requests never trap and are parsed the same however they are cut`() {
        let seeds = HostileCase.all.map(\.bytes).filter { $0.count < 500 }
        for _ in 0..<3000 {
            var bytes = seeds.randomElement() ?? []
            for _ in 0..<Int.random(in: 1...4) {
                bytes[Int.random(in: bytes.indices)] = [0, 9, 10, 13, 32, 37, 44, 58, 91, 93, 255].randomElement() ?? 0
            }
            let cut = Int.random(in: bytes.indices)
            #expect(verdict(bytes, cuts: [cut]) == verdict(bytes, cuts: []), "\(bytes) at \(cut)")
            #expect(chunkVerdict(bytes, cuts: [cut]) == chunkVerdict(bytes, cuts: []), "\(bytes) at \(cut)")
        }
    }

    @Test func `dates are formatted as RFC 9110 requires`() {
        var line = DateLine()
        func text(_ second: Int64) -> String { String(decoding: line.bytes(at: second), as: UTF8.self) }
        #expect(text(784_111_777) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
        #expect(text(1_709_164_800) == "Date: Thu, 29 Feb 2024 00:00:00 GMT\r\n")
    }
}

struct BudgetRulesTests {
    @Test func `waiters are served in order, and an owner at its share delays no other owner`() {
        var rules = BudgetRules(capacity: 100, share: 50)
        #expect(rules.ask(for: 51, owner: "a", ticket: 1) == .impossible)
        #expect(rules.ask(for: 40, owner: "a", ticket: 2) == .granted)
        #expect(rules.ask(for: 20, owner: "a", ticket: 3) == .queued)
        #expect(rules.ask(for: 30, owner: "b", ticket: 4) == .granted)
        #expect(rules.ask(for: 50, owner: "c", ticket: 5) == .queued)
        #expect(rules.ask(for: 10, owner: "d", ticket: 6) == .queued)
        #expect(rules.giveBack(30, owner: "b") == [5, 6])
        #expect(rules.leave(3) == [])
        #expect(rules.giveBack(40, owner: "a") == [])
        #expect(rules.used == 60)
    }

    @Test func `a holder that asks for more waits for other waiters but not for its own share`() {
        var rules = BudgetRules(capacity: 100, share: 50)
        #expect(rules.ask(for: 50, owner: "a", ticket: 1) == .granted)
        #expect(rules.ask(for: 10, owner: "a", ticket: 2) == .queued)
        #expect(rules.ask(for: 20, owner: "a", ticket: 3, isAdditional: true) == .granted)
        #expect(rules.ask(for: 40, owner: "b", ticket: 4) == .queued)
        #expect(rules.ask(for: 20, owner: "a", ticket: 5, isAdditional: true) == .queued)
        #expect(rules.giveBack(20, owner: "a") == [4])
        #expect(rules.giveBack(40, owner: "b") == [5])
        #expect(rules.giveBack(50, owner: "a") == [2])
        #expect(rules.used == 30)
        #expect(rules.ask(for: 51, owner: "a", ticket: 6, isAdditional: true) == .impossible)
    }
}
