/// A JPEG file of one color, written by hand with any sampling factors.
struct PlainJPEG {
    var width = 320
    var height = 304
    /// The horizontal and vertical sampling factors of each component.
    var sampling: [(Int, Int)]
    /// The value of each component, from 0 to 255.
    var samples: [UInt8]
    /// Segments before the frame header.
    var segments: [UInt8] = []

    var file: [UInt8] {
        // Every quantization step is 8, so that the mean of a block is its DC coefficient plus 128.
        var file: [UInt8] = [0xFF, 0xD8] + segments + JPEGFile.segment(0xDB, [0] + Array(repeating: 8, count: 64))
        var frame: [UInt8] = [8] + big(height, 2) + big(width, 2) + [UInt8(sampling.count)]
        for (index, (across, down)) in sampling.enumerated() {
            frame += [UInt8(index + 1), UInt8(across << 4 | down), 0]
        }
        file += JPEGFile.segment(0xC0, frame)
        // DC categories 0 to 8 have codes of four bits; the only AC code, of one bit, ends a block.
        file += JPEGFile.segment(0xC4, [0x00, 0, 0, 0, 9] + Array(repeating: 0, count: 12) + Array(0...8))
        file += JPEGFile.segment(0xC4, [0x10, 1] + Array(repeating: 0, count: 15) + [0])
        var scan = [UInt8(sampling.count)]
        for index in sampling.indices { scan += [UInt8(index + 1), 0] }
        return file + JPEGFile.segment(0xDA, scan + [0, 63, 0]) + entropyData + [0xFF, 0xD9]
    }

    private var entropyData: [UInt8] {
        let across = 8 * (sampling.map(\.0).max() ?? 1)
        let down = 8 * (sampling.map(\.1).max() ?? 1)
        let units = ((width + across - 1) / across) * ((height + down - 1) / down)
        var bits = ""
        for unit in 0..<units {
            for (sample, factors) in zip(samples, sampling) {
                for block in 0..<factors.0 * factors.1 {
                    bits += Self.code(unit == 0 && block == 0 ? Int(sample) - 128 : 0) + "0"
                }
            }
        }
        bits += String(repeating: "1", count: (8 - bits.utf8.count % 8) % 8)
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        for (index, bit) in bits.utf8.enumerated() {
            byte = byte << 1 | (bit & 1)
            guard index % 8 == 7 else { continue }
            bytes += byte == 0xFF ? [0xFF, 0] : [byte]
        }
        return bytes
    }

    /// The Huffman code and the extra bits of a difference between DC coefficients (ITU-T T.81, F.1.2.1).
    private static func code(_ difference: Int) -> String {
        let category = Int.bitWidth - abs(difference).leadingZeroBitCount
        let extra = difference < 0 ? difference + (1 << category) - 1 : difference
        func text(_ number: Int, _ width: Int) -> String {
            (0..<width).reversed().map { number >> $0 & 1 == 1 ? "1" : "0" }.joined()
        }
        return text(category, 4) + text(extra, category)
    }
}
