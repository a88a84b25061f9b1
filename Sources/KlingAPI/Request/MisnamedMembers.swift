/// Names that clients use for members of a create by mistake.
enum MisnamedMembers {
    /// The first member with one of the names; nil if there is none.
    static func found(_ names: [StaticString], among members: [JSONMember], _ bytes: Span<UInt8>) -> StaticString? {
        for member in members {
            if let name = names.first(where: { member.isNamed($0, bytes) }) { return name }
        }
        return nil
    }

    /// The names that a client may mean as the member of a picture.
    static func names(for field: PictureField) -> [StaticString] { field == .human ? human : cloth }

    private static let human: [StaticString] = [
        "human", "human_image_url", "humanImage", "human_img", "person", "person_image", "person_image_url",
        "personImage", "model_image", "model_image_url", "model_img", "user_image", "image",
    ]
    private static let cloth: [StaticString] = [
        "cloth", "cloth_image_url", "clothImage", "cloth_img", "clothes_image", "clothing_image",
        "clothing_image_url", "garment", "garment_image", "garment_image_url", "garmentImage", "garm_img",
        "dress_image",
    ]
    /// The names that a client may mean as `callback_url`.
    static let callback: [StaticString] = [
        "callbackUrl", "callback", "webhook", "webhook_url", "webhookUrl", "notify_url",
    ]
}
