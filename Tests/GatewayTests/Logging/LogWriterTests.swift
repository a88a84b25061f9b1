import Base
import Foundation
import GatewayConfiguration
import Logging
import Testing

@testable import Gateway

struct LogWriterTests {
    private func logged(_ format: LogFormat, _ body: (Logger) -> Void) -> String {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let logger = Logger(label: "test") { label in
            GatewayLogHandler(label: label, writer: writer, level: .info, format: format)
        }
        body(logger)
        writer.flush(within: .seconds(30))
        try? pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    @Test func `a JSON line is one object, whatever was logged`() throws {
        let text = logged(.json) { logger in
            var logger = logger
            logger[metadataKey: "request_id"] = "a\"b\nc\u{1B}[2J\u{9B}"
            logger.info("x\r\n{\"level\":\"error\"}", metadata: ["level": "fake", "key": "\(Secret("S3CRET"))"])
            logger.debug("below the level")
        }
        #expect(text.filter { $0 == "\n" }.count == 1 && text.hasSuffix("}\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String])
        #expect(object["message"] == "x\r\n{\"level\":\"error\"}" && object["level"] == "info")
        #expect(object["request_id"] == "a\"b\nc\u{1B}[2J\u{9B}" && object["_level"] == "fake")
        #expect(object["key"] == "<redacted>")
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7F...0x9F).contains($0.value) })
    }

    @Test func `a text line starts with its time`() {
        var line = LogLine(.text, level: "info", message: "hello", label: "x", milliseconds: 1_709_210_096_007)
        line.add("path", "a b")
        #expect(String(decoding: line.finish(), as: UTF8.self) == "2024-02-29T12:34:56.007Z info hello path=\"a b\"\n")
    }

    @Test func `an unread pipe blocks no caller, and dropped lines are reported`() throws {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor, capacity: 64 << 10)
        let line = [UInt8](repeating: UInt8(ascii: "a"), count: 1023) + [0x0A]
        for _ in 0..<1000 { writer.write(line) }
        #expect(!writer.flush(within: .milliseconds(10)))
        var received = Data()
        var accounted = 0
        while accounted < 1000 {
            received += pipe.fileHandleForReading.availableData
            let lines = String(decoding: received, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            let lost = lines.dropLast().compactMap { $0.firstMatch(of: /"(\d+) lines dropped"/).flatMap { Int($0.1) } }
            accounted = lines.dropLast().filter { $0.hasPrefix("aaa") }.count + lost.reduce(0, +)
        }
        #expect(accounted == 1000)
        #expect(writer.flush(within: .seconds(30)))
    }
}
