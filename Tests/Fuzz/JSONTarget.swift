// One input as JSON, behind a first byte that says in which slices it is scanned: that must not change the result. The
// scanner accepts what the grammar accepts, except for its limits, and Foundation reads the same names, strings and
// numbers. Strings, and objects that are copied, stay the same.

import Base
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let text = Array(input.dropFirst())
    let whole = verdict(text, sliceSize: max(text.count, 1))
    let sliceSize = 1 + Int(first) * text.count / 256
    expect(verdict(text, sliceSize: sliceSize) == whole, "the text means something else in slices")
    switch whole {
    case .failure(let error):
        expect(error.isLimit || !JSONGrammar.accepts(text), "JSON is refused: \(error)")
    case .success:
        expect(JSONGrammar.accepts(text), "what is not JSON is accepted")
        checkCopy(of: text)
        do {
            let tree = try Tree(text, 0..<text.count)
            _ = try JSONDecoder().decode(Reading.self, from: Data(text), configuration: tree)
        } catch { fatalError("what was accepted is refused: \(error)") }
    }
    return 0
}

private struct Scan: Equatable {
    let kind: JSONKind?
    let value: Range<Int>
    let members: [Member]

    struct Member: Equatable {
        let kind: JSONKind
        let name, value: Range<Int>
        let nameHasEscapes, valueHasEscapes: Bool

        init(_ member: JSONMember) {
            (kind, name, value) = (member.kind, member.name, member.value)
            (nameHasEscapes, valueHasEscapes) = (member.nameHasEscapes, member.valueHasEscapes)
        }
    }
}

private func verdict(_ text: [UInt8], sliceSize: Int) -> Result<Scan, JSONError> {
    var scanner = JSONScanner(range: 0..<text.count, keepsElements: true)
    var limit = sliceSize
    do throws(JSONError) {
        while try !scanner.scan(text.span, upTo: limit) {
            expect(limit < text.count, "a scan of the whole text is not complete")
            limit += sliceSize
        }
        return .success(
            Scan(kind: scanner.kind, value: scanner.value, members: scanner.members.map(Scan.Member.init)))
    } catch { return .failure(error) }
}

/// Copies the outermost object member by member, and its strings one by one.
private func checkCopy(of text: [UInt8]) {
    guard let object = JSONObject(text) else { return }
    let bytes = JSONWriter.object { writer in object.write(to: &writer) { _, _ in .keep } }
    guard let copy = JSONObject(bytes) else { fatalError("a copy of the object is refused") }
    expect(copy.members.count == object.members.count, "a copy of the object has other members")
    for (member, copied) in zip(object.members, copy.members) {
        let isModel = JSONString.bytes(text.span, member.name) == Array("model_name".utf8)
        expect(member.isNamed("model_name", text.span) == isModel, "a member is taken for another one")
        expect(text[member.name] == bytes[copied.name], "a copy of the object has other names")
        expect(text[member.value] == bytes[copied.value], "a copy of the object has other values")
        guard member.kind == .string else { continue }
        let string = JSONString.text(text.span, member.content)
        let json = JSONString.json(string)
        expect((try? JSONScanner(json.span, range: 0..<json.count))?.kind == .string, "a written string is refused")
        expect(
            JSONString.bytes(json.span, 1..<json.count - 1) == Array(string.utf8), "a written string is another one")
    }
}

/// A JSON value as the scanner reads it.
private indirect enum Tree {
    case null
    case bool(Bool)
    case number(Double?, integer: Int?)
    case string([UInt8])
    case array([Tree])
    case object([(name: String, value: Tree)])
    /// A value that is not compared.
    case unread

    init(_ text: [UInt8], _ range: Range<Int>) throws(JSONError) {
        let span = text.span
        let scan = try JSONScanner(span, range: range)
        switch scan.kind {
        case .null, nil: self = .null
        case .bool: self = .bool(text[scan.value.lowerBound] == UInt8(ascii: "t"))
        case .number: self = Tree(number: text[scan.value])
        case .string: self = .string(JSONString.bytes(span, scan.value.lowerBound + 1..<scan.value.upperBound - 1))
        case .array: self = .array(scan.members.map { Tree(within: text, $0.value) })
        case .object:
            let members = scan.members.map { (JSONString.text(span, $0.name), Tree(within: text, $0.value)) }
            // The names differ in their bytes, but Foundation compares them as Unicode does.
            self = Set(members.map(\.0)).count == members.count ? .object(members) : .unread
        }
    }

    private init(number text: ArraySlice<UInt8>) {
        let bytes = Array(text)
        let double = JSONNumber.value(bytes.span, 0..<bytes.count)
        // Foundation refuses a zero with an exponent, and a number that is too small for a double and so is zero here.
        if double == 0, bytes.contains(where: { (0x31...0x39).contains($0) || $0 | 0x20 == UInt8(ascii: "e") }) {
            self = .unread
        } else {
            self = .number(double, integer: JSONNumber.integer(bytes.span, 0..<bytes.count))
        }
    }

    private init(within text: [UInt8], _ range: Range<Int>) {
        do throws(JSONError) {
            self = try Tree(text, range)
        } catch {
            // Within another value, names may be the same, and there may be more of them.
            expect(error.isLimit, "a part of accepted JSON is refused: \(error)")
            self = .unread
        }
    }
}

/// Reads a value with Foundation, and compares it with what the scanner has read.
private struct Reading: DecodableWithConfiguration {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder, configuration tree: Tree) throws {
        switch tree {
        case .unread: return
        case .null: expect(try decoder.singleValueContainer().decodeNil(), "Foundation reads a value other than null")
        case .bool(let bool):
            expect(try decoder.singleValueContainer().decode(Bool.self) == bool, "Foundation reads another bool")
        case .number(let double, let integer):
            let container = try decoder.singleValueContainer()
            expect(try container.decode(Double.self) == double, "Foundation reads another number")
            if let integer { expect(try container.decode(Int.self) == integer, "Foundation reads another integer") }
        case .string(let string):
            let other = try decoder.singleValueContainer().decode(String.self)
            expect(Array(other.utf8) == string, "Foundation reads another string")
        case .array(let elements):
            var container = try decoder.unkeyedContainer()
            for element in elements { _ = try container.decode(Reading.self, configuration: element) }
            expect(container.isAtEnd, "Foundation reads more elements")
        case .object(let members):
            let container = try decoder.container(keyedBy: Name.self)
            for member in members {
                _ = try container.decode(
                    Reading.self, forKey: Name(stringValue: member.name), configuration: member.value)
            }
            expect(container.allKeys.count == members.count, "Foundation reads more members")
        }
    }
}

extension JSONError {
    /// Whether the scanner refuses the text for one of its own limits.
    fileprivate var isLimit: Bool {
        ["each member once", "at most ", "a number that fits a double"].contains { expected.hasPrefix($0) }
    }
}
