internal import Base
internal import HTTPServer
internal import KlingAPI

/// What to put on a person.
enum Garment: Sendable {
    case one(GivenPicture)
    /// Two garments, which are combined into one picture.
    case both(upper: GivenPicture, lower: GivenPicture)
}

/// A person, and one picture of everything to wear.
struct Outfit: Sendable {
    private let given: GivenFiles
    private let service: PictureService
    private let admitted: AdmittedRequest
    private var human: GivenPicture { given.pictures[0] }
    private var cloth: GivenPicture { given.pictures[1] }

    /// - Parameter given: the two pictures, the person first.
    init(given: GivenFiles, _ service: PictureService, _ admitted: AdmittedRequest) {
        (self.given, self.service, self.admitted) = (given, service, admitted)
    }

    /// The create for the outfit, in Kling's shape.
    /// - Parameter body: the block that holds the client's pictures, with room for their base64. It is kept with the
    ///   request's bytes.
    /// - Throws: an error that names the given field, if it is about a picture.
    func request(
        model: String, externalTaskID: String? = nil, callbackURL: String? = nil, settings: TryOnSettings,
        models: TryOnModels, keeping body: Bytes
    ) async throws(GatewayError) -> TryOnRequest {
        let parts = TryOnParts(
            model: model, human: TryOnParts.Picture(human.content), cloth: TryOnParts.Picture(cloth.content),
            externalTaskID: externalTaskID, callbackURL: callbackURL, settings: settings)
        let names = [PictureField.human.rawValue: human.field, PictureField.cloth.rawValue: cloth.field]
        let request: TryOnRequest
        do {
            request = try await parts.request(models: models, keeping: (body, given.lease))
        } catch {
            throw GatewayError(error).renamed(names)
        }
        given.keepText()
        do {
            try await service.checkEnds(of: request, tenant: admitted.tenant)
            return request
        } catch {
            throw error.renamed(names)
        }
    }
}

extension TryOnParts.Picture {
    /// The picture as it was given.
    fileprivate init(_ content: GivenPicture.Content) {
        switch content {
        case .url(let text): self = .url(text)
        case .file(let file): self = .file(file)
        case .base64(let text): self = .base64(text)
        }
    }
}
