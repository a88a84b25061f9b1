internal import Base

/// A status line (RFC 9112 §4): `HTTP/1.1 200 OK`. The reason may be missing, with or without the space before it.
struct StatusLine {
    let status: Int
    let isHTTP10: Bool

    static let fault = AnswerFault.malformed("the answer does not begin with an HTTP/1 status line")

    init(_ line: Span<UInt8>) throws(AnswerFault) {
        guard line.count >= 12, line.extracting(first: 7).equals("HTTP/1."), line[7].isDigit, line[8] == 0x20,
            line[9].isDigit, line[10].isDigit, line[11].isDigit, line.count == 12 || line[12] == 0x20
        else { throw Self.fault }
        isHTTP10 = line[7] == UInt8(ascii: "0")
        status = (Int(line[9]) * 10 + Int(line[10])) * 10 + Int(line[11]) - 0x30 * 111
        if status < 100 { throw Self.fault }
    }

    /// Whether a status line can begin with `bytes`.
    static func canBegin(with bytes: [UInt8]) -> Bool { zip(bytes, "HTTP/1.".utf8).allSatisfy { $0 == $1 } }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
}
