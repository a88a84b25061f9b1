internal import Base

/// Decides what spaces within base64 are: whitespace where the text was wrapped, or letters `+` that the decoder of a
/// URL-encoded form turned into spaces.
struct Base64Spaces {
    /// What the spaces are.
    enum Meaning {
        case whitespace, plus, unclear
    }

    private var letters = 0
    private var spaces = 0
    private var hasPlus = false
    private var run = 0
    private var lineLength: Int?
    private var isRegular = true

    /// Counts the letters and spaces of the next slice of the text.
    mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        for index in range {
            if bytes[index] == 0x20 {
                spaces += 1
                endRun()
            } else {
                letters += 1
                run += 1
                hasPlus = hasPlus || bytes[index] == UInt8(ascii: "+")
            }
        }
    }

    private mutating func endRun() {
        guard run > 0 else { return }
        if let lineLength {
            isRegular = isRegular && run == lineLength
        } else {
            lineLength = run
            isRegular = run % 4 == 0
        }
        run = 0
    }

    /// What the spaces of the whole text are. `padding` is the number of `=` after it.
    func meaning(padding: Int) -> Meaning {
        // A decoder would have turned this `+` into a space, too.
        guard !hasPlus, fits(letters + spaces, padding) else { return .whitespace }
        guard fits(letters, padding) else { return .plus }
        let isWholeWithPlus = (letters + spaces + padding) % 4 == 0
        if isRegular, run <= lineLength ?? 0 {
            return (letters + padding) % 4 == 0 || !isWholeWithPlus ? .whitespace : .unclear
        }
        return isWholeWithPlus ? .plus : .unclear
    }

    private func fits(_ count: Int, _ padding: Int) -> Bool {
        padding == 0 ? count % 4 != 1 : (count + padding) % 4 == 0
    }
}

extension Base64Spaces {
    /// Replaces or removes the spaces among the letters at `range`, in place.
    /// - Returns: how many letters are left.
    static func settle(_ body: Bytes, _ range: Range<Int>, padding: Int) async throws(PictureProblem) -> Int {
        var spaces = Base64Spaces()
        for slice in slices(of: range) {
            body.withByteSpan { spaces.read($0, slice) }
            await Task.yield()
        }
        let meaning = spaces.meaning(padding: padding)
        if case .unclear = meaning { throw .spaces }
        var end = range.lowerBound
        for slice in slices(of: range) {
            for index in slice {
                var letter = body.withByteSpan { $0[index] }
                if letter == 0x20 {
                    guard case .plus = meaning else { continue }
                    letter = UInt8(ascii: "+")
                }
                body.setByte(letter, at: end)
                end += 1
            }
            await Task.yield()
        }
        return end - range.lowerBound
    }

    private static func slices(of range: Range<Int>) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: PictureText.sliceSize)
            .map { $0..<min($0 + PictureText.sliceSize, range.upperBound) }
    }
}
