import Base
import Foundation
import KlingAPI
import KlingSimulator
import Testing

struct PictureTests {
    private static let result = SamplePictures.result(seed: 7, taskID: "800000000000000001")

    @Test func `the sample pictures are small files that Kling would accept`() throws {
        for file in [SamplePictures.person, SamplePictures.garment, Self.result] {
            let header = try ImageHeader.check(file: ByteSlice(Bytes(file), 0..<file.count))
            #expect(header.format == .png)
            #expect(file.count < 64 << 10)
        }
    }

    @Test func `a result depends on the seed and the task alone`() {
        #expect(Self.result == SamplePictures.result(seed: 7, taskID: "800000000000000001"))
        #expect(Self.result != SamplePictures.result(seed: 8, taskID: "800000000000000001"))
        #expect(Self.result != SamplePictures.result(seed: 7, taskID: "800000000000000002"))
    }

    /// Checks every chunk and all of the compressed data, undoes the filter, and prints some pixels.
    private static let reader = """
        import sys, struct, zlib
        data = open(sys.argv[1], "rb").read()
        assert data[:8] == b'\\x89PNG\\r\\n\\x1a\\n'
        at, chunks = 8, {}
        while at < len(data):
            size, kind = struct.unpack('>I4s', data[at:at + 8])
            body = data[at + 8:at + 8 + size]
            assert struct.unpack('>I', data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + body)
            chunks[kind], at = body, at + 12 + size
        width, height = struct.unpack('>II', chunks[b'IHDR'][:8])
        raw, row, rows = zlib.decompress(chunks[b'IDAT']), bytes(width * 3), []
        assert len(raw) == height * (1 + width * 3) and list(chunks) == [b'IHDR', b'IDAT', b'IEND']
        for y in range(height):
            line = raw[y * (1 + width * 3):(y + 1) * (1 + width * 3)]
            assert line[0] == 2
            row = bytes((a + b) & 255 for a, b in zip(row, line[1:]))
            rows.append(row)
        print(width, height, *(rows[y][3 * x:3 * x + 3].hex() for x, y in ((0, 0), (256, 150), (256, 300))))
        """

    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: python != nil))
    func `another reader finds the expected pixels`() throws {
        #expect(try Self.read(SamplePictures.person) == "512 768 c8c8f0 e8c1a0 b8bcc4")
        #expect(try Self.read(SamplePictures.garment) == "512 512 ffffff 2f6fed 2f6fed")
        #expect(try Self.read(Self.result).hasPrefix("512 768 "))
    }

    @Test(.enabled(if: python != nil))
    func `another reader finds a hundred million zeros in the gzip bomb`() throws {
        var simulation = Simulation { $0.faults = [FaultRule("list:gzip-bomb")].compactMap { $0 } }
        let counter = """
            import sys, zlib
            stream, total = zlib.decompressobj(-15), 0
            rest = open(sys.argv[1], "rb").read()[10:]
            for _ in range(200):
                piece = stream.decompress(rest, 1 << 20)
                total, rest = total + piece.count(0), stream.unconsumed_tail
            print(total)
            """
        #expect(try Self.read(simulation.list().bytes, with: counter) == "100000000")
    }

    /// What the script prints about a file. The file is passed by name: another program started at the same time would
    /// inherit the writing end of a pipe, which would then never be closed.
    private static func read(_ file: [UInt8], with reader: String = reader) throws -> String {
        let place = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).bin")
        try Data(file).write(to: place)
        defer { try? FileManager.default.removeItem(at: place) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python ?? "")
        process.arguments = ["-c", reader, place.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
