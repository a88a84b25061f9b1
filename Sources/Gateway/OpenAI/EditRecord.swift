internal import KlingAPI

extension ImageEdit {
    /// What is stored with the job: the `taskInfo` of useapi.net's shape, in which jobs of any shape can be queried.
    var record: [UInt8] {
        JSONWriter.object(capacity: 512) { info in
            info.member("type", "mmu_img2img_aitryon")
            info.array("inputs") { list in
                for (name, picture) in inputs { list.object { Self.write(name, picture, to: &$0) } }
            }
            info.array("arguments") { list in
                list.object { argument in
                    argument.member("name", "imageCount")
                    argument.member("value", String(count))
                }
            }
            info.object("extraArgs") { $0.member("user", ifPresent: user) }
            info.array("callbackPayloads") { _ in }
            info.member("scene", "NORMAL_CREATION")
        }
    }

    private var inputs: [(String, GivenPicture)] {
        switch garment {
        case .one(let garment): [("humanImage", human), ("dressInput", garment)]
        case .both(let upper, let lower): [("humanImage", human), ("upperInput", upper), ("lowerInput", lower)]
        }
    }

    private static func write(_ name: String, _ picture: GivenPicture, to input: inout JSONWriter) {
        var url: String?
        if case .url(let text) = picture.content { url = text }
        input.member("name", name)
        input.member("inputType", url == nil ? "FILE" : "URL")
        for name in ["token", "blobStorage"] as [StaticString] { input.member(name, orNull: nil) }
        input.member("url", url ?? "")
        for name in ["cover", "fromWorkId"] as [StaticString] { input.member(name, orNull: nil) }
    }
}
