internal import KlingAPI

/// What a task of the new interface is to leave of the person's picture as it is.
public struct SolutionSettings: Sendable, Hashable {
    public internal(set) var keepsFace = true
    public internal(set) var keepsPose = true
    public internal(set) var keepsBackground = true

    /// Writes the members as a create has them.
    func write(to writer: inout JSONWriter) {
        writer.member("keep_face", keepsFace)
        writer.member("keep_pose", keepsPose)
        writer.member("keep_background", keepsBackground)
    }
}
