internal import Base
internal import CWebP

/// The chunks of a WebP file (RFC 9649, section 2).
enum WebPHeader {
    static func read(_ file: ByteSlice) throws(PictureDefect) -> PictureHeader {
        let chunks = file.withBytes { Chunks($0) }
        let payload = chunks.frame ?? 0..<file.count
        var features = WebPBitstreamFeatures()
        // The library reads no more than the bytes lent.
        let status = unsafe file.part(payload).withUnsafeBytes { bytes in
            unsafe WebPGetFeatures(bytes.baseAddress, bytes.count, &features)
        }
        guard status == VP8_STATUS_OK, features.has_animation == 0, features.width > 0, features.height > 0 else {
            throw .header(.webp)
        }
        let hasAlpha = features.has_alpha != 0
        // The library holds lossless pictures whole, and the opacity of others. Those with transparent parts are
        // decoded to their full size.
        let held = (features.format == 2 ? 4 : hasAlpha ? 2 : 0) + (hasAlpha ? 4 : 0)
        return PictureHeader(
            format: .webp, size: PictureSize(width: Int(features.width), height: Int(features.height)),
            orientation: chunks.orientation, heldBytesPerPixel: held, hasAlpha: hasAlpha,
            payload: payload, isAnimated: chunks.frame != nil)
    }

    /// The chunks that matter besides the picture: the first frame of an animation, and the orientation.
    private struct Chunks {
        var frame: Range<Int>?
        var orientation = Orientation.upright

        private static let maxChunks = 2048
        private static let frameHead = 16

        init(_ bytes: Span<UInt8>) {
            var position = 12
            for _ in 0..<Self.maxChunks {
                guard let length = bytes.littleEndian(4, at: position + 4) else { return }
                let content = position + 8
                let end = min(content + length, bytes.count)
                if frame == nil, bytes.has("ANMF", at: position), content + Self.frameHead < end {
                    frame = content + Self.frameHead..<end
                } else if bytes.has("EXIF", at: position) {
                    // Some encoders keep the marker that EXIF has in JPEG.
                    let start = bytes.has("Exif\0\0", at: content) ? content + 6 : content
                    orientation = Orientation(exif: bytes, at: start, end: end)
                }
                position = content + length + length % 2
            }
        }
    }
}
