// One input as bytes to encode and as text to decode, in both alphabets: all ways to encode agree with a simple
// encoder, decoding reverses it, and a text that is not the encoding of any bytes is refused.

import Base

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    checkEncoding(of: input)
    checkDecoding(of: input)
    expect(input.span.isBase64 == input.allSatisfy { digits(.standard).contains($0) }, "isBase64 is wrong")
    return 0
}

private func checkEncoding(of input: [UInt8]) {
    for alphabet in [Base64.Alphabet.standard, .urlSafe] {
        let text = Base64.encode(input, alphabet)
        expect(Array(text.utf8) == encoded(input, alphabet), "the encoding is wrong")
        expect(Base64.decode(text.utf8, alphabet) == input, "decoding does not reverse encoding")
    }
    let expected = encoded(input, .standard)
    expect(Base64.textCount(of: input.count) == expected.count, "the length is wrong")
    expect(Base64.encode(Bytes(input)).map(bytes) == expected, "the encoding of a block is wrong")
    // The second half of a block, behind other text.
    let half = input.count / 2
    let text = Bytes(capacity: 1 + Base64.textCount(of: input.count))
    text.append { space in
        space[0] = UInt8(ascii: "\"")
        return 1
    }
    Base64.append(ByteSlice(Bytes(input), half..<input.count), to: text)
    expect(
        bytes(text) == [UInt8(ascii: "\"")] + encoded(Array(input[half...]), .standard),
        "the encoding of a slice is wrong")
}

private func checkDecoding(of input: [UInt8]) {
    for alphabet in [Base64.Alphabet.standard, .urlSafe] {
        expect(Base64.decode(input, alphabet) == decoded(input, alphabet), "the text is decoded wrongly")
    }
    for letter in input {
        let value = digits(.standard).firstIndex(of: letter) ?? 0
        expect(Int(Base64.value(letter)) == value, "the value of a letter is wrong")
    }
}

private func bytes(_ block: Bytes) -> [UInt8] { block.withUnsafeBytes { Array($0) } }

// MARK: A simple implementation of RFC 4648

private let common = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
private let standard = common + Array("+/".utf8)
private let urlSafe = common + Array("-_".utf8)

private func digits(_ alphabet: Base64.Alphabet) -> [UInt8] { alphabet == .standard ? standard : urlSafe }

private func encoded(_ bytes: [UInt8], _ alphabet: Base64.Alphabet) -> [UInt8] {
    var text = stride(from: 0, to: bytes.count * 8, by: 6).map { start in
        digits(alphabet)[number(start..<start + 6) { $0 < bytes.count * 8 && bytes[$0 / 8] >> (7 - $0 % 8) & 1 == 1 }]
    }
    while alphabet == .standard, text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    return text
}

/// The bytes whose encoding is `text`; nil if there are none.
private func decoded(_ text: [UInt8], _ alphabet: Base64.Alphabet) -> [UInt8]? {
    let values = text.prefix { digits(alphabet).contains($0) }.map { digits(alphabet).firstIndex(of: $0) ?? 0 }
    let bytes = stride(from: 0, to: values.count * 6 / 8 * 8, by: 8).map { start in
        UInt8(number(start..<start + 8) { values[$0 / 6] >> (5 - $0 % 6) & 1 == 1 })
    }
    return encoded(bytes, alphabet) == text ? bytes : nil
}

/// The number whose binary digits are these bits.
private func number(_ bits: Range<Int>, _ isOne: (Int) -> Bool) -> Int {
    bits.reduce(0) { $0 * 2 + (isOne($1) ? 1 : 0) }
}
