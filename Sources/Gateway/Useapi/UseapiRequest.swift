internal import Base
internal import KlingAPI

/// A create in useapi.net's shape, checked against the rules on its page.
struct UseapiRequest: Sendable {
    /// How many pictures a job may make.
    static let imageCounts = 1...4
    /// The range of `maxJobs`.
    static let jobCounts = 1...50
    /// The maximum lengths of a picture's URL and of the other texts, in bytes.
    static let longestURL = 8192
    static let longestText = 1024
    /// The model of a create that names none.
    static let defaultModel = "kolors-virtual-try-on-v1-5"

    let human: GivenPicture
    let garment: Garment
    /// How many pictures to make, each by its own task.
    let imageCount: Int
    /// How many of the tenant's jobs may run at once.
    let maxJobs: Int?
    let replyURL: HTTPURL?
    let replyRef: String?
    /// The upstream account that runs the job.
    let email: String?
    let model: String
    let settings: TryOnSettings

    /// Checks a create.
    /// - Throws: an error that names the member.
    init(_ members: UseapiMembers, models: TryOnModels) throws(GatewayError) {
        guard let human = try members.picture(.humanImage) else {
            throw GatewayError(in: .humanImage, "is required. Send the http(s) URL of a picture of the person.")
        }
        self.human = human
        garment = try members.garment()
        imageCount = try members.integer(.imageCount, Self.imageCounts) ?? 1
        maxJobs = try members.integer(.maxJobs, Self.jobCounts)
        replyURL = try members.url(.replyURL)
        replyRef = try members.text(.replyRef)
        email = try members.text(.email)
        model = try members.model(of: models) ?? Self.defaultModel
        settings = TryOnSettings(
            keepFace: try members.flag(.keepFace) ?? true, keepPose: try members.flag(.keepPose) ?? true,
            keepBackground: try members.flag(.keepBackground) ?? true, watermark: try members.flag(.watermark) ?? false)
        if case .both = garment, model == TryOnModels.defaultModel {
            throw GatewayError(
                in: .model, "\(model) takes one garment. Send upperInput and lowerInput with \(Self.defaultModel).")
        }
    }
}

extension UseapiRequest {
    /// The client's names for Kling's members.
    var names: [String: String] {
        let cloth = if case .one(let picture) = garment { picture.field } else { UseapiMember.upperInput.rawValue }
        return [
            PictureField.human.rawValue: human.field, PictureField.cloth.rawValue: cloth,
            "model_name": UseapiMember.model.rawValue, "callback_url": UseapiMember.replyURL.rawValue,
        ]
    }

    /// The pictures in the order of useapi.net's page.
    var pictures: [GivenPicture] {
        switch garment {
        case .one(let garment): [human, garment]
        case .both(let upper, let lower): [human, upper, lower]
        }
    }
}

// MARK: - The rules of each member

extension UseapiMembers {
    fileprivate func garment() throws(GatewayError) -> Garment {
        let dress = try picture(.dressInput)
        let upper = try picture(.upperInput)
        let lower = try picture(.lowerInput)
        switch (dress, upper, lower) {
        case (nil, nil, nil):
            throw GatewayError(
                .badParameter, "At least one of dressInput, upperInput or lowerInput must be provided",
                parameter: UseapiMember.dressInput.rawValue)
        case (let dress?, nil, nil): return .one(dress)
        case (nil, let upper?, nil): return .one(upper)
        case (nil, nil, let lower?): return .one(lower)
        case (nil, let upper?, let lower?): return .both(upper: upper, lower: lower)
        default:
            throw GatewayError(
                in: .dressInput,
                "is incompatible with upperInput and lowerInput. Send a full dress alone, or the upper and lower garment."
            )
        }
    }

    fileprivate func picture(_ member: UseapiMember) throws(GatewayError) -> GivenPicture? {
        let content: GivenPicture.Content
        switch self[member] {
        case nil: return nil
        case .file(let bytes): content = .file(bytes)
        case .long(let text): content = .base64(text)
        case .text(let text):
            if let link = GivenPicture.Content(url: text) {
                guard text.utf8.count <= UseapiRequest.longestURL else {
                    throw GatewayError(
                        in: member, "is longer than \(UseapiRequest.longestURL) bytes. Send a shorter URL.")
                }
                content = link
            } else {
                let json = Bytes(JSONString.json(text))
                content = .base64(ByteSlice(json, 1..<json.count - 1))
            }
        case .number: throw wrongType(member, "an http(s) URL", .number)
        case .flag: throw wrongType(member, "an http(s) URL", .bool)
        case .other(let kind): throw wrongType(member, "an http(s) URL", kind)
        }
        return GivenPicture(member.rawValue, content)
    }

    /// A number, which forms can only send as text.
    fileprivate func integer(_ member: UseapiMember, _ range: ClosedRange<Int>) throws(GatewayError) -> Int? {
        let digits: String
        switch self[member] {
        case nil: return nil
        case .text(let text), .number(let text): digits = text
        case .long, .file: digits = ""
        case .flag: throw wrongType(member, "a number", .bool)
        case .other(let kind): throw wrongType(member, "a number", kind)
        }
        guard let value = Int(jsonNumber: digits), range.contains(value) else {
            throw GatewayError(in: member, "must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }

    /// A Boolean, which forms can only send as text.
    fileprivate func flag(_ member: UseapiMember) throws(GatewayError) -> Bool? {
        switch self[member] {
        case nil: return nil
        case .flag(let flag): return flag
        case .text(let text) where Bool(text) != nil: return Bool(text)
        default: throw GatewayError(in: member, "must be true or false.")
        }
    }

    fileprivate func url(_ member: UseapiMember) throws(GatewayError) -> HTTPURL? {
        guard let text = try text(member, limit: Self.longestText) else { return nil }
        do {
            return try HTTPURL(text)
        } catch {
            throw GatewayError(in: member, error.description)
        }
    }

    fileprivate func text(
        _ member: UseapiMember, limit: Int = UseapiRequest.longestText
    ) throws(GatewayError) -> String? {
        switch self[member] {
        case nil: return nil
        case .text(let text) where text.utf8.count <= limit: return text
        case .text, .long: throw GatewayError(in: member, "is longer than \(limit) bytes. Send a shorter one.")
        case .number: throw wrongType(member, "a string", .number)
        case .flag: throw wrongType(member, "a string", .bool)
        case .other(let kind): throw wrongType(member, "a string", kind)
        case .file: throw GatewayError(in: member, "is a file; send a text.")
        }
    }

    fileprivate func model(of models: TryOnModels) throws(GatewayError) -> String? {
        guard let name = try text(.model) else { return nil }
        guard let model = models.model(named: name) else {
            throw GatewayError(
                .unknownModel,
                "model is not a virtual try-on model. Send one of: \(models.names.joined(separator: ", "))."
                    + models.suggestion(for: name),
                parameter: UseapiMember.model.rawValue)
        }
        return model
    }

    private func wrongType(_ member: UseapiMember, _ expected: String, _ found: JSONKind) -> GatewayError {
        GatewayError(
            .malformedBody, "\(member.rawValue) is \(found.words); send \(expected).", parameter: member.rawValue)
    }
}
