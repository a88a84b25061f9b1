extension TryOnRequest {
    /// The body to send to Kling in the solutions dialect, with only the documented members (Kling, virtual-try-on
    /// page).
    /// - Parameters:
    ///   - externalTaskID: the gateway's id of the task.
    ///   - callbackURL: the URL at which Kling calls the gateway, if any.
    ///   - humanURL: the URL of the picture of the person; Kling accepts pictures only as URLs here.
    ///   - clothURL: the URL of the picture of the garment.
    public func solutionsBody(
        externalTaskID: String, callbackURL: String?, humanURL: String, clothURL: String
    ) -> [UInt8] {
        JSONWriter.object(capacity: 512) { body in
            body.array("contents") { contents in
                for (field, url) in [(PictureField.human, humanURL), (.cloth, clothURL)] {
                    contents.object { content in
                        content.member("type", field.contentType)
                        content.member("url", url)
                    }
                }
            }
            body.object("settings") { members in
                members.member("keep_face", settings.keepFace)
                members.member("keep_pose", settings.keepPose)
                members.member("keep_background", settings.keepBackground)
            }
            body.object("options") { options in
                options.member("external_task_id", externalTaskID)
                options.member("callback_url", ifPresent: callbackURL)
                if settings.watermark { options.object("watermark") { $0.member("enabled", true) } }
            }
        }
    }
}
