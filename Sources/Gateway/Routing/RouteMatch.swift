internal import KlingAPI

/// The route of a path.
///
/// The path is split at raw `/`. Repeated and trailing slashes are ignored, and each segment is decoded once.
struct RouteMatch: Equatable, Sendable {
    let route: Route
    let rules: RouteRules
    /// The decoded last segment of a path that identifies something: a task's id, a callback's token, a model.
    var identifier = ""

    /// Looks up `path`; nil if nothing is served there.
    init?(path: Span<UInt8>) {
        guard let found = RouteTree.all.find(path) else { return nil }
        (route, rules) = (found.route, found.rules)
        guard let segment = found.identifier else { return }
        guard let identifier = Self.decoded(path.extracting(segment)) else { return nil }
        self.identifier = identifier
    }

    /// A segment's text; nil if it is not UTF-8, has a control character, or is longer than any id.
    private static func decoded(_ segment: Span<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(segment.count)
        var position = 0
        while position < segment.count {
            let value = segment.decodedByte(at: &position)
            if value < 0x20 || value == 0x7F { return nil }
            bytes.append(value)
        }
        return bytes.count <= TryOn.maxExternalTaskIDBytes ? String(validating: bytes, as: UTF8.self) : nil
    }
}

/// The paths of a table, as a tree of their segments. A lookup doesn't allocate.
struct RouteTree: Sendable {
    /// The tree of ``RouteTable``.
    static let all = RouteTree(RouteTable.lines)

    /// What was found, and the range of the identifier in the path.
    struct Found {
        let route: Route
        let rules: RouteRules
        var identifier: Range<Int>?
    }

    /// A segment after those of its parents. Nodes refer to one another by index; 0, the root's, means none.
    private struct Node {
        /// The range of the segment's name in ``letters``; empty if the segment may have any name.
        var name: Range<Int>
        var firstChild = 0
        var sibling = 0
        var served: Found?
    }

    private var letters: [UInt8] = []
    private var nodes = [Node(name: 0..<0)]

    init(_ lines: [RouteTable.Line]) {
        for line in lines {
            for path in line.paths { insert(path, Found(route: line.route, rules: line.rules)) }
        }
    }

    private mutating func insert(_ path: String, _ served: Found) {
        var node = 0
        for segment in path.split(separator: "/") {
            let name = segment.hasPrefix("{") ? [] : Array(segment.utf8)
            node = child(of: node, named: name) ?? addChild(to: node, named: name)
        }
        precondition(nodes[node].served == nil, "two routes have the path \(path)")
        nodes[node].served = served
    }

    private func child(of parent: Int, named name: [UInt8]) -> Int? {
        var child = nodes[parent].firstChild
        while child != 0, Array(letters[nodes[child].name]) != name { child = nodes[child].sibling }
        return child == 0 ? nil : child
    }

    /// Adds a node after its siblings. One for any name must come last, because it hides what follows.
    private mutating func addChild(to parent: Int, named name: [UInt8]) -> Int {
        nodes.append(Node(name: letters.count..<letters.count + name.count))
        letters += name
        let added = nodes.count - 1
        guard nodes[parent].firstChild != 0 else {
            nodes[parent].firstChild = added
            return added
        }
        var last = nodes[parent].firstChild
        while nodes[last].sibling != 0 { last = nodes[last].sibling }
        precondition(!nodes[last].name.isEmpty, "a path is hidden by another")
        nodes[last].sibling = added
        return added
    }

    /// The route of a path.
    func find(_ path: Span<UInt8>) -> Found? {
        var (node, start) = (0, 0)
        var identifier: Range<Int>?
        while true {
            while start < path.count, path[start] == UInt8(ascii: "/") { start += 1 }
            if start == path.count { break }
            var end = start + 1
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            node = child(of: node, path.extracting(start..<end))
            if node == 0 { return nil }
            if nodes[node].name.isEmpty { identifier = start..<end }
            start = end
        }
        guard var found = nodes[node].served else { return nil }
        found.identifier = identifier
        return found
    }

    private func child(of parent: Int, _ segment: Span<UInt8>) -> Int {
        var child = nodes[parent].firstChild
        while child != 0, !nodes[child].name.isEmpty, !segment.isEncoded(letters.span.extracting(nodes[child].name)) {
            child = nodes[child].sibling
        }
        return child
    }
}

extension RouteTree {
    /// The shape that a path answers in, even if its identifier can't be one.
    static func shape(of path: Span<UInt8>) -> Shape { all.find(path)?.rules.shape ?? .kling }
}

extension Span<UInt8> {
    /// Whether these bytes are `name`, literally or percent-encoded.
    fileprivate func isEncoded(_ name: Span<UInt8>) -> Bool {
        guard count >= name.count else { return false }
        var position = 0
        for index in name.indices {
            guard position < count, decodedByte(at: &position) == name[index] else { return false }
        }
        return position == count
    }

    /// Decodes the byte at `position` and moves past it; a `%` with two hex digits is one byte.
    fileprivate func decodedByte(at position: inout Int) -> UInt8 {
        let byte = self[position]
        if byte == UInt8(ascii: "%"), position + 2 < count,
            let high = self[position + 1].hexValue, let low = self[position + 2].hexValue
        {
            position += 3
            return high << 4 | low
        }
        position += 1
        return byte
    }
}

extension UInt8 {
    fileprivate var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
