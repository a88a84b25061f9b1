// One input through the head parser and the chunked decoder, whole and cut at a place that its first byte names: both
// must say the same, and nothing may trap. The rest of an accepted chunked request is its body.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let cut = bytes.isEmpty ? 0 : Int(first) * bytes.count / 256
    expect(headVerdict(bytes, cut) == headVerdict(bytes, 0), "the head means something else when cut")
    expect(chunkVerdict(bytes, cut) == chunkVerdict(bytes, 0), "the chunks mean something else when cut")
    return 0
}

private func headVerdict(_ bytes: [UInt8], _ cut: Int) -> String {
    var parser = HeadParser(limits: HeadLimits(headBytes: 2048, fields: 20, targetBytes: 256))
    var total = 0
    for piece in [Array(bytes[..<cut]), Array(bytes[cut...])] where !piece.isEmpty {
        let (consumed, outcome) = parser.parse(piece.span)
        total += consumed
        switch outcome {
        case .incomplete: expect(consumed == piece.count, "an incomplete head left bytes")
        case .complete(let head, let rules): return "\(total) \(head.ranges) \(head.path) \(head.authority) \(rules)"
        case .refused(let fault, _): return "\(fault.status) \(fault.message)"
        }
    }
    return "incomplete"
}

private func chunkVerdict(_ bytes: [UInt8], _ cut: Int) -> String {
    var decoder = ChunkedDecoder(limit: 4096)
    var data: [UInt8] = []
    for piece in [Array(bytes[..<cut]), Array(bytes[cut...])] where !decoder.isComplete {
        do throws(ChunkFault) {
            let consumed = try decoder.decode(piece.span) { data += piece[$0] }
            expect(consumed == piece.count || decoder.isComplete, "an incomplete body left bytes")
        } catch { return "\(error)" }
    }
    return "\(decoder.isComplete) \(data)"
}
