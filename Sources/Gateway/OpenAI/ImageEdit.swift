internal import Base
internal import KlingAPI

/// A try-on as OpenAI's clients request it: the person first, then what to wear.
struct ImageEdit: Sendable {
    /// What the answer contains for each picture.
    enum ResultFormat: String, Sendable {
        case url
        case base64 = "b64_json"
        /// The request doesn't say, so the answer suits clients of either kind.
        case both
        /// Server-Sent Events, which always have the picture itself.
        case events

        /// Reads `response_format` and `stream`.
        init(_ members: EditMembers) throws(GatewayError) {
            let format = members[.responseFormat].map { Self(rawValue: $0) } ?? .both
            guard let format, members[.responseFormat] == nil || format == .url || format == .base64 else {
                throw GatewayError(.responseFormat, "must be url or b64_json; without it the answer has both.")
            }
            self = try members.flag(.stream) == true ? .events : format
        }
    }

    /// How many pictures one request may ask for.
    static let counts = 1...4
    /// The model of an edit that names none.
    static let defaultModel = "kolors-virtual-try-on-v1-5"
    private static let longestUser = 512

    let model: String
    let human: GivenPicture
    let garment: Garment
    let count: Int
    /// The client's own name for its user.
    let user: String?
    let externalTaskID: String?
    let callbackURL: String?
    let settings: TryOnSettings

    /// Checks an edit, except for what is checked in every create.
    init(_ members: EditMembers, models: TryOnModels) throws(GatewayError) {
        model = try Self.model(members, models)
        (human, garment) = try Self.pictures(members)
        count = try Self.count(members)
        user = members[.user]
        externalTaskID = members[.externalTaskID]
        callbackURL = members[.callbackURL]
        settings = try members.settings
        if let user, user.utf8.count > Self.longestUser {
            throw GatewayError(.user, "is longer than \(Self.longestUser) bytes. Send a shorter one.")
        }
        if case .both = garment, model == TryOnModels.defaultModel {
            throw GatewayError(.model, "\(model) takes one garment. Send two with \(Self.defaultModel).")
        }
    }

    private static func model(_ members: EditMembers, _ models: TryOnModels) throws(GatewayError) -> String {
        guard let name = members[.model] else { return defaultModel }
        guard let model = models.model(named: name) else {
            throw GatewayError(
                .unknownModel,
                "model is not a virtual try-on model. Send one of: \(models.names.joined(separator: ", "))."
                    + models.suggestion(for: name),
                parameter: EditMembers.Name.model.rawValue)
        }
        return model
    }

    private static func pictures(_ members: EditMembers) throws(GatewayError) -> (GivenPicture, Garment) {
        let name = members.pictures.first?.name ?? .image
        let given = members.pictures.enumerated().map { GivenPicture("\(name.rawValue)[\($0)]", $1.content) }
        switch given.count {
        case 2: return (given[0], .one(given[1]))
        case 3: return (given[0], .both(upper: given[1], lower: given[2]))
        default:
            let found = given.isEmpty ? "is missing" : "has one picture"
            throw GatewayError(
                name, "\(found). Send the person first, then one garment, or an upper and a lower one.")
        }
    }

    private static func count(_ members: EditMembers) throws(GatewayError) -> Int {
        guard let text = members[.n] else { return counts.lowerBound }
        guard let count = Int(jsonNumber: text), counts.contains(count) else {
            throw GatewayError(.n, "must be a whole number from \(counts.lowerBound) to \(counts.upperBound).")
        }
        return count
    }
}
