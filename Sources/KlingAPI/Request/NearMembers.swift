/// Names that clients use for members of a create by mistake.
enum NearMembers {
    /// The first member with a name that a client may have meant as `member`; nil if there is none.
    static func found(for member: String, among members: [JSONMember], _ bytes: Span<UInt8>) -> StaticString? {
        guard let names = names[member] else { return nil }
        for member in members {
            if let name = names.first(where: { member.isNamed($0, bytes) }) { return name }
        }
        return nil
    }

    private static let names: [String: [StaticString]] = [
        "human_image": [
            "human", "human_image_url", "humanImage", "human_img", "person", "person_image", "person_image_url",
            "personImage", "model_image", "model_image_url", "model_img", "user_image", "image",
        ],
        "cloth_image": [
            "cloth", "cloth_image_url", "clothImage", "cloth_img", "clothes_image", "clothing_image",
            "clothing_image_url", "garment", "garment_image", "garment_image_url", "garmentImage", "garm_img",
            "dress_image",
        ],
        "callback_url": ["callbackUrl", "callback", "webhook", "webhook_url", "webhookUrl", "notify_url"],
    ]
}
