internal import Base
internal import Crypto
internal import Hashing

/// The content that equal requests have in common: the route and the JSON, or the names and contents of a form's parts
/// regardless of what is between them.
struct RequestContent: Sendable {
    let route: Route
    let body: Bytes
    /// The body read as a form, if it is one.
    let form: FormData?
    /// A 128-bit XXH3 hash, for content that is sent again within minutes: it takes a tenth of SHA-256's time.
    let digest: ContentDigest

    /// Hashes a body that is neither a form nor large, as most are: without a streaming state, without a copy of the
    /// route and without suspending. Nil for other bodies.
    init?(atOnce route: Route, _ body: Bytes) {
        guard body.count <= Self.slice else { return nil }
        (self.route, self.body, form) = (route, body, nil)
        digest = ContentDigest(of: ByteSlice(body, 0..<body.count)).mixed(with: ContentDigest(of: route.rawValue))
    }

    /// Hashes the whole content once.
    init(_ route: Route, _ body: Bytes, _ form: FormData? = nil) async {
        if form == nil, let content = RequestContent(atOnce: route, body) {
            self = content
            return
        }
        (self.route, self.body, self.form) = (route, body, form)
        var hash = ContentHash()
        await Self.read(route, body, form) { hash.update($0) }
        digest = hash.finish()
    }

    /// SHA-256, for an `Idempotency-Key`.
    var sha256: [UInt8] {
        get async {
            var hash = SHA256()
            await Self.read(route, body, form) { slice in
                // The slice lends its bytes for the duration of the call.
                unsafe slice.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
            }
            return Array(hash.finalize())
        }
    }

    /// Passes on the whole content, slice by slice. In a large body, other tasks of the loop run between two slices.
    private static func read(
        _ route: Route, _ body: Bytes, _ form: FormData?, _ take: (ByteSlice) -> Void
    ) async {
        guard let form else {
            take(ByteSlice(copying: "\(route.rawValue)\0"))
            return await read(ByteSlice(body, 0..<body.count), take)
        }
        take(ByteSlice(copying: "\(route.rawValue) form\0"))
        for part in form.parts {
            take(ByteSlice(copying: "\(part.name.utf8.count) \(part.name) \(part.content.count) "))
            await read(part.content, take)
        }
    }

    private static func read(_ content: ByteSlice, _ take: (ByteSlice) -> Void) async {
        var start = content.range.lowerBound
        while start < content.range.upperBound {
            let end = min(start + slice, content.range.upperBound)
            take(ByteSlice(content.bytes, start..<end))
            start = end
            if start < content.range.upperBound { await Task.yield() }
        }
    }

    private static let slice = 1 << 20
}
