// One input through the client's answer parser, whole and cut at a place that its first byte names: an answer that is
// understood must mean the same, whatever the cut, and nothing may trap.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let cut = bytes.isEmpty ? 0 : Int(first) * bytes.count / 256
    expect(verdict(bytes, cut) == verdict(bytes, 0), "the answer means something else when cut")
    return 0
}

/// What an answer means. One that is refused may be refused for another reason when it is cut.
private func verdict(_ bytes: [UInt8], _ cut: Int) -> String {
    var limits = AnswerParser.Limits(HTTPClientConfiguration(), bodyBytes: 200, keepsBody: true)
    (limits.headBytes, limits.interimAnswers, limits.fields) = (300, 2, 8)
    var parser = AnswerParser(limits)
    var total = 0
    for piece in [Array(bytes[..<cut]), Array(bytes[cut...])] where !piece.isEmpty && !parser.isComplete {
        do {
            let used = try piece.withUnsafeBytes { try parser.take($0) }
            expect(used == piece.count || parser.isComplete, "an incomplete answer left bytes")
            total += used
        } catch { return "refused" }
    }
    expect(parser.bodyCount <= 200 && parser.body.count == parser.bodyCount, "the body is over its limit")
    let fields = parser.headers.map { "\($0.name)=\($0.value)" }
    return
        "\(total) \(parser.isComplete) \(parser.end(isClean: true)) \(parser.status) \(parser.isPersistent) \(fields) \(parser.body)"
}
