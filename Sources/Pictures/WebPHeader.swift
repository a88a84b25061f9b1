internal import Base
internal import CWebP

/// The chunks of a WebP file (RFC 9649, section 2).
enum WebPHeader {
    static func read(_ file: ByteSlice) throws(PictureDefect) -> PictureHeader {
        let chunks = file.withBytes { Chunks($0) }
        let payload = chunks.frame?.payload ?? 0..<file.count
        let features = try features(of: file.part(payload))
        let size = PictureSize(width: Int(features.width), height: Int(features.height))
        let canvas = chunks.frame == nil ? size : chunks.canvas ?? size
        let place = try chunks.frame?.place(of: size, in: canvas)
        let hasAlpha = features.has_alpha != 0
        // The library holds lossless pictures whole, and the opacity of others. Those with transparent parts are
        // decoded to their full size, as are frames that don't fill their picture.
        var held = (features.format == 2 ? 4 : hasAlpha ? 2 : 0) + (hasAlpha ? 4 : 0)
        if place != nil { held += hasAlpha ? 3 : 6 }
        return PictureHeader(
            format: .webp, size: canvas, heldBytesPerPixel: held,
            colors: chunks.profile.map { [.profile([$0])] } ?? [], hasAlpha: hasAlpha, payload: payload,
            isAnimated: chunks.frame != nil, framePlace: place,
            isTurnedBySome: chunks.orientation.map { $0 != .upright } ?? false)
    }

    private static func features(of payload: ByteSlice) throws(PictureDefect) -> WebPBitstreamFeatures {
        var features = WebPBitstreamFeatures()
        // The library reads no more than the bytes it is given.
        let status = unsafe payload.withUnsafeBytes { bytes in
            unsafe WebPGetFeatures(bytes.baseAddress, bytes.count, &features)
        }
        guard status == VP8_STATUS_OK, features.has_animation == 0, features.width > 0, features.height > 0 else {
            throw .header(.webp)
        }
        return features
    }

    /// The first frame of an animation.
    private struct Frame {
        var payload: Range<Int>
        var x: Int
        var y: Int

        /// Where a frame of `size` lies in the picture; nil if it fills it.
        func place(of size: PictureSize, in canvas: PictureSize) throws(PictureDefect) -> StitchPlan.Place? {
            guard x + size.width <= canvas.width, y + size.height <= canvas.height else { throw .header(.webp) }
            return size == canvas ? nil : StitchPlan.Place(x: x, y: y, size: size)
        }
    }

    /// The chunks that matter besides the picture itself.
    private struct Chunks {
        var canvas: PictureSize?
        var frame: Frame?
        var profile: Range<Int>?
        /// By EXIF. Browsers ignore it in WebP.
        var orientation: Orientation?

        private static let maxChunks = 2048
        private static let frameHead = 16
        private static let hasProfile: UInt8 = 0x20

        init(_ bytes: Span<UInt8>) {
            var position = 12
            var flags: UInt8 = 0
            for _ in 0..<Self.maxChunks {
                guard let length = bytes.littleEndian(4, at: position + 4) else { return }
                let content = position + 8..<min(position + 8 + length, bytes.count)
                if bytes.has("VP8X", at: position), content.count >= 10 {
                    flags = bytes[content.lowerBound]
                    canvas = Self.size(bytes, at: content.lowerBound + 4)
                } else if bytes.has("ICCP", at: position), flags & Self.hasProfile != 0 {
                    profile = profile ?? content
                } else if bytes.has("ANMF", at: position), content.count > Self.frameHead {
                    frame = frame ?? Self.frame(bytes, content)
                } else if bytes.has("EXIF", at: position) {
                    // Some encoders keep the marker that EXIF has in JPEG.
                    let start = content.lowerBound + (bytes.has("Exif\0\0", at: content.lowerBound) ? 6 : 0)
                    orientation = orientation ?? Orientation(exif: bytes, at: start, end: content.upperBound)
                }
                position += 8 + length + length % 2
            }
        }

        private static func size(_ bytes: Span<UInt8>, at start: Int) -> PictureSize {
            PictureSize(
                width: (bytes.littleEndian(3, at: start) ?? 0) + 1,
                height: (bytes.littleEndian(3, at: start + 3) ?? 0) + 1)
        }

        private static func frame(_ bytes: Span<UInt8>, _ content: Range<Int>) -> Frame {
            Frame(
                payload: content.lowerBound + frameHead..<content.upperBound,
                x: 2 * (bytes.littleEndian(3, at: content.lowerBound) ?? 0),
                y: 2 * (bytes.littleEndian(3, at: content.lowerBound + 3) ?? 0))
        }
    }
}
