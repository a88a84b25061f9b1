/// A status line (RFC 9112 §4): `HTTP/1.1 200 OK`. The reason may be missing, with or without the space before it.
struct StatusLine {
    let status: Int
    let isHTTP10: Bool

    static let fault = AnswerFault.malformed("the answer does not begin with an HTTP/1 status line")

    private static let prefix = Array("HTTP/1.".utf8)

    init(_ line: UnsafeRawBufferPointer) throws(AnswerFault) {
        guard line.count >= 12, unsafe line.starts(with: Self.prefix), unsafe isDigit(line[7]), unsafe line[8] == 0x20,
            unsafe line[9...11].allSatisfy(isDigit), unsafe line.count == 12 || line[12] == 0x20
        else { throw Self.fault }
        isHTTP10 = unsafe line[7] == UInt8(ascii: "0")
        status = unsafe line[9...11].reduce(0) { $0 * 10 + Int($1) - 0x30 }
        if status < 100 { throw Self.fault }
    }

    /// Whether a status line can begin with `bytes`.
    static func canBegin(with bytes: [UInt8]) -> Bool { zip(bytes, prefix).allSatisfy { $0 == $1 } }
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
