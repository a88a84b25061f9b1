internal import KlingAPI

extension CreateRequest {
    private static let kinds = ["product_image", "person_image"]
    private static let settings: Set = ["keep_face", "keep_pose", "keep_background"]
    private static let options: Set = ["callback_url", "external_task_id", "watermark"]

    /// Checks the body of a create of the newer API, which refuses everything undocumented. ``checkPictures(_:)``
    /// checks the pictures behind its URLs.
    init(solution body: [UInt8]) throws(SimulatedRefusal) {
        self.init()
        let object = try StrictObject(body, members: ["contents", "settings", "options"])
        try read(object.objects("contents", members: ["type", "url"]))
        if let settings = try object.object("settings", members: Self.settings) {
            self.settings.keepsFace = try settings.bool("keep_face") ?? true
            self.settings.keepsPose = try settings.bool("keep_pose") ?? true
            self.settings.keepsBackground = try settings.bool("keep_background") ?? true
        }
        if let options = try object.object("options", members: Self.options) {
            callbackURL = try options.text("callback_url")
            if let callbackURL, !Self.isURL(callbackURL.utf8) { throw options.refusal("callback_url", "is invalid") }
            externalTaskID = try options.text("external_task_id")
            hasWatermark = try options.object("watermark", members: ["enabled"])?.bool("enabled") ?? false
        }
        if let instructions = personURL.flatMap(Self.instructions) {
            self.instructions = try SimulationInstructions(instructions)
        }
    }

    private mutating func read(_ contents: [StrictObject]?) throws(SimulatedRefusal) {
        guard let contents else { throw .parameter("contents is required") }
        var urls: [String: String] = [:]
        for content in contents {
            guard let type = try content.text("type"), Self.kinds.contains(type) else {
                throw content.refusal("type", "must be one of \(Self.kinds.joined(separator: ", "))")
            }
            guard let url = try content.text("url") else { throw content.refusal("url", "is required") }
            guard Self.isURL(url.utf8) else { throw content.refusal("url", "must be a URL, base64 is not supported") }
            guard urls.updateValue(url, forKey: type) == nil else { throw content.refusal("type", "is duplicated") }
            contentURLs.append(url)
        }
        guard urls.count == Self.kinds.count else {
            throw .parameter("contents must have one each of \(Self.kinds.joined(separator: ", "))")
        }
        (personURL, garmentURL) = (urls["person_image"], urls["product_image"])
    }

    /// Checks the pictures fetched from ``contentURLs``, in the same order.
    func checkPictures(_ pictures: [FetchedPicture]) throws(SimulatedRefusal) {
        for (index, picture) in pictures.enumerated() {
            do {
                try picture.check()
            } catch {
                throw .parameter("contents[\(index)].url \(error.message)")
            }
        }
    }
}
