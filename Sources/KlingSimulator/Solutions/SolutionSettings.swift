internal import KlingAPI

/// Which parts of the person's picture a task of the newer API leaves unchanged.
public struct SolutionSettings: Sendable, Hashable {
    public internal(set) var keepsFace = true
    public internal(set) var keepsPose = true
    public internal(set) var keepsBackground = true

    /// Writes the members as they appear in a create.
    func write(to writer: inout JSONWriter) {
        writer.member("keep_face", keepsFace)
        writer.member("keep_pose", keepsPose)
        writer.member("keep_background", keepsBackground)
    }
}
