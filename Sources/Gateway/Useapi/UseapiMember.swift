/// The members of a create in useapi.net's shape that the gateway knows. Others are ignored.
enum UseapiMember: String, Sendable, CaseIterable {
    case humanImage, dressInput, upperInput, lowerInput
    case imageCount, maxJobs
    case replyURL = "replyUrl"
    case replyRef
    case email
    /// Not on useapi.net's page: one of Kling's models.
    case model
    /// Not on useapi.net's page either: Kling's settings.
    case keepFace = "keep_face"
    case keepPose = "keep_pose"
    case keepBackground = "keep_background"
    case watermark

    var isPicture: Bool { [.humanImage, .dressInput, .upperInput, .lowerInput].contains(self) }
}

extension GatewayError {
    /// An error about a member. The message is its name followed by the problem.
    init(in member: UseapiMember, _ problem: String) {
        self.init(.badParameter, "\(member.rawValue) \(problem)", parameter: member.rawValue)
    }
}
