import Base
import CTurboJPEG
import Testing

@testable import Pictures

/// A file that lacks the end of its picture is told apart from one with something after it.
struct PictureEndTests {
    private static let files: [(name: String, file: [UInt8])] = [
        ("JPEG", DrawnPicture.quarters(320, 310).jpeg()),
        ("progressive JPEG", DrawnPicture.quarters(320, 310).jpeg(flags: TJFLAG_PROGRESSIVE)),
        (
            "JPEG with a thumbnail",
            JPEGFile.adding(
                JPEGFile.segment(0xE1, DrawnPicture.plain(40, 40, .red).jpeg()),
                to: DrawnPicture.quarters(320, 310).jpeg())
        ),
        ("PNG", DrawnPicture.quarters(320, 310).png()), ("WebP", DrawnPicture.quarters(320, 310).webP()),
    ]

    @Test(arguments: files.map(\.name))
    func `a file cut off anywhere is refused, even one that would be sent as it is`(_ name: String) throws {
        let file = try #require(Self.files.first { $0.name == name }?.file)
        try PictureEnd.check(ByteSlice(file))
        let format = try #require(ByteSlice(file).withBytes { PictureFormat(of: $0) })
        for end in stride(from: 12, to: file.count, by: max(1, file.count / 100)) + [file.count - 1, file.count - 2] {
            #expect(throws: PictureDefect.cutOff(format), "\(end)") {
                try PictureEnd.check(ByteSlice(Array(file[..<end])))
            }
        }
        if format != .webp {
            let cut = ByteSlice(Array(file.dropLast(2)))
            #expect(throws: PictureDefect.cutOff(format)) { _ = try PictureKit.normalize(cut) }
        }
    }

    @Test(arguments: files.map(\.name))
    func `bytes after the picture do not matter`(_ name: String) throws {
        let file = try #require(Self.files.first { $0.name == name }?.file)
        for tail in [[0], [UInt8](repeating: 0, count: 4096), Array("\0\0\0\u{18}ftypmp42".utf8), [0xFF, 0xD8, 0xFF]] {
            try PictureEnd.check(ByteSlice(file + tail))
        }
        #expect(PictureEnd.isEvident(ByteSlice(file)))
    }
}
