/// The settings of a create. Only the solutions dialect supports them.
public struct TryOnSettings: Sendable, Hashable {
    /// Whether the person's face stays as it is: `keep_face`.
    public var keepFace = true
    /// Whether the person's pose stays as it is: `keep_pose`.
    public var keepPose = true
    /// Whether the background stays as it is: `keep_background`.
    public var keepBackground = true
    /// Whether Kling also makes a picture with a watermark: `watermark`.
    public var watermark = false

    public init(keepFace: Bool = true, keepPose: Bool = true, keepBackground: Bool = true, watermark: Bool = false) {
        self.keepFace = keepFace
        self.keepPose = keepPose
        self.keepBackground = keepBackground
        self.watermark = watermark
    }

    /// Whether all settings have Kling's defaults.
    public var isDefault: Bool { self == Self() }

    /// The names of the settings that differ from the defaults, as they are in a create.
    public var nonDefaultNames: [String] { nonDefault.map(\.name) }

    /// The settings that differ from the defaults, with their values.
    var nonDefault: [(name: String, value: Bool)] {
        if isDefault { return [] }
        let all = [
            ("keep_face", keepFace, true), ("keep_pose", keepPose, true), ("keep_background", keepBackground, true),
            ("watermark", watermark, false),
        ]
        return all.compactMap { $1 == $2 ? nil : ($0, $1) }
    }
}

extension MemberReader {
    /// The settings; `watermark` is a Boolean, or an object as in the solutions dialect.
    func settings(_ bytes: Span<UInt8>) throws(ParameterError) -> TryOnSettings {
        TryOnSettings(
            keepFace: try flag(at: indexes.keepFace, "keep_face", bytes) ?? true,
            keepPose: try flag(at: indexes.keepPose, "keep_pose", bytes) ?? true,
            keepBackground: try flag(at: indexes.keepBackground, "keep_background", bytes) ?? true,
            watermark: try watermark(bytes) ?? false)
    }

    private func flag(
        at index: Int?, _ parameter: String, _ bytes: Span<UInt8>
    ) throws(ParameterError) -> Bool? {
        guard let index else { return nil }
        return try Self.flag(members[index], parameter, bytes)
    }

    private func watermark(_ bytes: Span<UInt8>) throws(ParameterError) -> Bool? {
        let parameter = "watermark"
        guard let index = indexes.watermark, !members[index].isNullOrEmpty else { return nil }
        guard members[index].kind == .object else {
            return try Self.flag(members[index], parameter, bytes, expected: "true, false or {\"enabled\": true}")
        }
        let scan: JSONScanner
        do {
            scan = try JSONScanner(bytes, range: members[index].value)
        } catch {
            throw .syntax(error)
        }
        guard let enabled = scan.members.first(where: { $0.isNamed("enabled", bytes) }) else { return nil }
        return try Self.flag(enabled, parameter + ".enabled", bytes)
    }

    private static func flag(
        _ member: JSONMember, _ parameter: String, _ bytes: Span<UInt8>, expected: String = "true or false"
    ) throws(ParameterError) -> Bool? {
        if member.isNullOrEmpty { return nil }
        guard member.kind == .bool else { throw .wrongType(parameter, expected: expected, found: member.kind) }
        return bytes[member.value.lowerBound] == UInt8(ascii: "t")
    }
}
