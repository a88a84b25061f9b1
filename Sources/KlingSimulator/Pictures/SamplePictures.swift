/// The pictures that the simulator serves: a person, a garment, and the person in a colored garment.
public enum SamplePictures {
    /// A person, 512 x 768 pixels, as a PNG file.
    public static let person: [UInt8] = figure(shirt: PNGWriter.Color(0xB8, 0xBC, 0xC4), backdrop: 0)

    /// A garment on white, 512 x 512 pixels, as a PNG file.
    public static let garment: [UInt8] = {
        let side = 512
        var picture = PNGWriter(width: side, height: side)
        for row in 0..<side {
            let half = shirtHalfWidth(at: row - 90, length: 340)
            picture.append(spans([(half, PNGWriter.Color(0x2F, 0x6F, 0xED))], width: side, backdrop: white))
        }
        return picture.finish()
    }()

    /// The person in a garment whose color depends on a seed and a task's id, as a PNG file.
    public static func result(seed: UInt64, taskID: String) -> [UInt8] {
        var generator = SeededGenerator(seed: seed, taskID)
        let word = generator.next()
        func channel(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> shift) }
        return figure(shirt: PNGWriter.Color(channel(0), channel(8), channel(16)), backdrop: Int(channel(24)) % 32)
    }

    private static let width = 512
    private static let height = 768
    private static let white = PNGWriter.Color(255, 255, 255)
    private static let skin = PNGWriter.Color(0xE8, 0xC1, 0xA0)
    private static let trousers = PNGWriter.Color(0x33, 0x3A, 0x4A)

    private static func figure(shirt: PNGWriter.Color, backdrop: Int) -> [UInt8] {
        var picture = PNGWriter(width: width, height: height)
        for row in 0..<height {
            // Bands rather than a gradient, so that most rows equal the one above.
            let shade = UInt8(200 - row / 64 * 6 + backdrop)
            let parts = [
                (headHalfWidth(at: row - 150, radius: 62), skin),
                ((205..<225).contains(row) ? 24 : 0, skin),
                (shirtHalfWidth(at: row - 220, length: 260), shirt),
                ((480..<760).contains(row) ? 88 : 0, trousers),
            ]
            picture.append(spans(parts, width: width, backdrop: PNGWriter.Color(shade, shade, 0xF0)))
        }
        return picture.finish()
    }

    private static func headHalfWidth(at distance: Int, radius: Int) -> Int {
        guard abs(distance) < radius else { return 0 }
        return Int(Double(radius * radius - distance * distance).squareRoot())
    }

    /// Shoulders that slope to the sleeves, and a body below them.
    private static func shirtHalfWidth(at row: Int, length: Int) -> Int {
        switch row {
        case 0..<40: 40 + row * 2
        case 40..<130: 120 + (row - 40) / 2
        case 130..<length: 92
        default: 0
        }
    }

    /// A row of centred parts. Only the last part that has a width is drawn.
    private static func spans(
        _ parts: [(halfWidth: Int, color: PNGWriter.Color)], width: Int, backdrop: PNGWriter.Color
    ) -> [PNGWriter.Run] {
        guard let part = parts.last(where: { $0.halfWidth > 0 }) else {
            return [PNGWriter.Run(end: width, color: backdrop)]
        }
        return [
            PNGWriter.Run(end: width / 2 - part.halfWidth, color: backdrop),
            PNGWriter.Run(end: width / 2 + part.halfWidth, color: part.color),
            PNGWriter.Run(end: width, color: backdrop),
        ]
    }
}
