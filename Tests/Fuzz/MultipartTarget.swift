// One input as a form: its first line, after the first byte, is the Content-Type, and the other lines are the body. The
// first byte is the size of the slices in which the body is searched, which must not change the result. The parts of an
// accepted form are those that a simple parser finds, and a form written from them has the same parts.

import Base

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first, let line = input.firstIndex(of: 0x0A) else { return 0 }
    let type = String(decoding: input[1..<max(1, line)], as: UTF8.self)
    let body = Array(input[(line + 1)...])
    let whole = outcome(body, type)
    expect(outcome(body, type, sliceSize: Int(first) + 1) == whole, "the form means something else in slices")
    guard case .success(let parts) = whole, let parameter = FieldParameters(type.utf8)?["boundary"] else { return 0 }
    let boundary = String(decoding: parameter, as: UTF8.self)
    expect(parts.map(\.range) == contents(of: body, boundary), "a simple parser finds other parts")
    let quoted = "multipart/form-data; boundary=\"\(boundary)\""
    guard case .success(let rewritten) = outcome(form(of: parts, boundary), quoted) else {
        fatalError("a form written from the parts is refused")
    }
    expect(rewritten.map(\.content) == parts.map(\.content), "a form written from the parts has other content")
    expect(rewritten.map(\.name) == parts.map(\.name), "a form written from the parts has other names")
    expect(rewritten.map(\.isFile) == parts.map(\.isFile), "a form written from the parts has other files")
    return 0
}

private struct Part: Equatable {
    let name: String
    let isFile: Bool
    let range: Range<Int>
    let content: [UInt8]

    init(_ part: FormData.Part) {
        (name, isFile, range) = (part.name, part.isFile, part.content.range)
        content = part.content.withUnsafeBytes { Array($0) }
    }
}

private func outcome(_ body: [UInt8], _ type: String, sliceSize: Int = 1 << 20) -> Result<[Part], FormError> {
    completed { () async -> Result<[Part], FormError> in
        do throws(FormError) {
            let form = try await FormData.parse(Bytes(body), contentType: type, sliceSize: sliceSize)
            return .success(form.parts.map(Part.init))
        } catch { return .failure(error) }
    }
}

/// A form with these parts.
private func form(of parts: [Part], _ boundary: String) -> [UInt8] {
    var form: [UInt8] = []
    for part in parts {
        var name: [UInt8] = []
        for byte in part.name.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { name.append(UInt8(ascii: "\\")) }
            name.append(byte)
        }
        form += "--\(boundary)\r\nContent-Disposition: form-data; name=\"".utf8 + name
        form += "\"\(part.isFile ? "; filename=f" : "")\r\n\r\n".utf8 + part.content + "\r\n".utf8
    }
    return form + "--\(boundary)--".utf8
}

// MARK: A simple parser

/// Where the contents of the parts of a valid form are.
private func contents(of body: [UInt8], _ boundary: String) -> [Range<Int>] {
    let delimiter = Array("--\(boundary)".utf8)
    var contents: [Range<Int>] = []
    var next = lines(of: body, from: 0).first { isDelimiter(body, $0, delimiter) }
    while let line = next, !isLast(body, line, delimiter) {
        // A part has at least one header field, so that an empty line follows it.
        guard let head = lines(of: body, from: line.upperBound + 2).first(where: \.isEmpty) else { break }
        let start = head.upperBound + 2
        next = lines(of: body, from: start).dropFirst().first { isDelimiter(body, $0, delimiter) }
        if let next { contents.append(start..<next.lowerBound - 2) }
    }
    return contents
}

/// The lines of the body from `start` on, without their CRLF.
private func lines(of body: [UInt8], from start: Int) -> [Range<Int>] {
    var (lines, begin) = ([Range<Int>](), start)
    for index in body.indices.dropLast() where index >= begin && body[index] == 0x0D && body[index + 1] == 0x0A {
        lines.append(begin..<index)
        begin = index + 2
    }
    return lines + [begin..<max(begin, body.count)]
}

private func isDelimiter(_ body: [UInt8], _ line: Range<Int>, _ delimiter: [UInt8]) -> Bool {
    guard body[line].starts(with: delimiter) else { return false }
    if isLast(body, line, delimiter) { return true }
    return line.upperBound < body.count && body[line].dropFirst(delimiter.count).allSatisfy { $0 == 0x20 || $0 == 0x09 }
}

private func isLast(_ body: [UInt8], _ line: Range<Int>, _ delimiter: [UInt8]) -> Bool {
    let rest = body[line].dropFirst(delimiter.count)
    return rest.starts(with: "--".utf8) && rest.dropFirst(2).allSatisfy { $0 == 0x20 || $0 == 0x09 }
}

// MARK: Asynchronous code without another thread

/// Runs `body`, which only waits for its own yields, to its end.
private func completed<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
    let executor = SteppedExecutor()
    let result = Box<Value>()
    Task(executorPreference: executor) { result.value = await body() }
    executor.run()
    guard let value = result.value else { fatalError("the code waits for something else") }
    return value
}

// @unchecked: the fuzzer has one thread.
private final class Box<Value>: @unchecked Sendable { var value: Value? }

// @unchecked: the fuzzer has one thread.
private final class SteppedExecutor: TaskExecutor, @unchecked Sendable {
    private var jobs: [UnownedJob] = []

    func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

    func run() {
        while !jobs.isEmpty { jobs.removeFirst().runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
