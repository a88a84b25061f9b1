internal import HTTPServer
internal import KlingAPI

/// What the gateway serves, one case a path.
public enum Route: String, Sendable, CaseIterable {
    /// Create (POST) and list (GET).
    case tryOn = "try_on"
    /// Query of one task.
    case tryOnTask = "try_on_task"
    /// Kling's own callbacks.
    case callback = "kling_callback"

    /// The methods that the path has, HEAD included where GET is.
    var methods: [HTTPMethod] {
        switch self {
        case .tryOn: [.get, .head, .post]
        case .tryOnTask: [.get, .head]
        case .callback: [.post]
        }
    }
}

/// Finds the route of a path.
///
/// The path is split at raw `/`, repeated ones and one at the end count for nothing, each segment is decoded once.
struct RouteMatch: Equatable {
    let route: Route
    /// The decoded last segment of a path that names a task: its id, or its callback's token.
    var identifier = ""

    /// The longest path that can match has this many segments.
    private static let mostSegments = 5

    /// The segments of the paths that are served, from the first on. A task's path has its id behind them.
    private static let bases: [(segments: [StaticString], own: Route?, task: Route)] = [
        (["v1", "images", "kolors-virtual-try-on"], .tryOn, .tryOnTask),
        (["kling", "v1", "images", "kolors-virtual-try-on"], .tryOn, .tryOnTask),
        (["callbacks", "kling"], nil, .callback),
    ]

    /// Looks `path` up; nil if nothing is served there.
    init?(path: Span<UInt8>) {
        guard let segments = Self.segments(of: path) else { return nil }
        for (base, own, task) in Self.bases where (base.count...base.count + 1).contains(segments.count) {
            guard zip(base, segments).allSatisfy({ Self.equal($0, path, $1) }) else { continue }
            guard segments.count > base.count else {
                guard let own else { return nil }
                self.init(route: own)
                return
            }
            guard let identifier = Self.decoded(path, segments[base.count]) else { return nil }
            self.init(route: task, identifier: identifier)
            return
        }
        return nil
    }

    private init(route: Route, identifier: String = "") {
        self.route = route
        self.identifier = identifier
    }

    private static func segments(of path: Span<UInt8>) -> [Range<Int>]? {
        var segments: [Range<Int>] = []
        segments.reserveCapacity(mostSegments)
        var start = 0
        for end in 0...path.count where end == path.count || path[end] == UInt8(ascii: "/") {
            if end > start {
                if segments.count == mostSegments { return nil }
                segments.append(start..<end)
            }
            start = end + 1
        }
        return segments
    }

    private static func equal(_ name: StaticString, _ path: Span<UInt8>, _ segment: Range<Int>) -> Bool {
        let count = name.utf8CodeUnitCount
        // A static string's storage is immortal.
        let letters = unsafe UnsafeBufferPointer(start: name.utf8Start, count: count)
        if segment.count == count {
            return segment.indices.allSatisfy { unsafe path[$0] == letters[$0 - segment.lowerBound] }
        }
        return decoded(path, segment).map { unsafe $0.utf8.elementsEqual(letters) } ?? false
    }

    /// A segment's text; nil if it is no UTF-8, has a control character, or is longer than any id.
    private static func decoded(_ path: Span<UInt8>, _ segment: Range<Int>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(segment.count)
        var position = segment.lowerBound
        while position < segment.upperBound {
            var value = path[position]
            if value == UInt8(ascii: "%"), position + 2 < segment.upperBound,
                let high = hex(path[position + 1]), let low = hex(path[position + 2])
            {
                value = high << 4 | low
                position += 2
            }
            if value < 0x20 || value == 0x7F { return nil }
            bytes.append(value)
            position += 1
        }
        return bytes.count <= TryOn.maxExternalTaskIDBytes ? String(validating: bytes, as: UTF8.self) : nil
    }

    private static func hex(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension GatewayError {
    /// Nothing is served at the path.
    static let unknownPath = GatewayError(.unknownPath, "Nothing is served here. Try-on is at \(TryOn.path).")

    /// The path is served, but not with this method.
    static func methodNotAllowed(_ route: Route) -> GatewayError {
        let allowed = route.methods.map(\.rawValue).joined(separator: ", ")
        var error = GatewayError(.methodNotAllowed, "This path takes \(allowed).")
        error.headers = [(name: "Allow", value: allowed)]
        return error
    }
}
