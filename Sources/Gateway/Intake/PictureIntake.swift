internal import Base
internal import HTTPServer
internal import KlingAPI

/// Prepares the pictures of a create of any shape for Kling: links to uploaded pictures become files, and two garments
/// become one picture.
///
/// The memory for this, beside the request's body, is taken from the memory budget.
struct PictureIntake: Sendable {
    /// nil if uploads are not stored, and so no links to them exist.
    let assets: AssetHandler?
    let service: PictureService
    let budget: ByteBudget
    /// Which of the other links Kling can fetch.
    let reach: LinkPolicy

    /// Whether a create has only links that lead to no uploads, so that nothing has to be read for it. Checks that Kling
    /// can fetch them.
    func isComplete(_ wanted: TryOnRequest) throws(GatewayError) -> Bool {
        guard wanted.human == .url, wanted.cloth == .url, link(.human, of: wanted) == nil,
            link(.cloth, of: wanted) == nil
        else { return false }
        try reach.check(wanted)
        return true
    }

    /// A create in Kling's shape with files in place of links. Checks that no file is cut off. Without links, the
    /// create is returned as it is, with no allocation.
    func inlined(_ wanted: TryOnRequest, _ admitted: AdmittedRequest) async throws(GatewayError) -> TryOnRequest {
        var request = wanted
        if link(.human, of: wanted) != nil || link(.cloth, of: wanted) != nil {
            request = try await withFiles(wanted, admitted)
        }
        return try await checked(request, tenant: admitted.tenant)
    }

    /// A create whose links lead to no uploads. Checks that Kling can fetch them, and that no file is cut off.
    func checked(_ request: TryOnRequest, tenant: String) async throws(GatewayError) -> TryOnRequest {
        try reach.check(request)
        if request.human != .url || request.cloth != .url {
            try await service.checkEnds(of: request, tenant: tenant)
        }
        return request
    }

    private func withFiles(
        _ wanted: TryOnRequest, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> TryOnRequest {
        let links = [link(.human, of: wanted), link(.cloth, of: wanted)].compactMap { $0 }
        let given = try await files(of: links, admitted)
        var request = wanted
        for picture in given.pictures {
            guard let field = PictureField(rawValue: picture.field), case .file(let file) = picture.content else {
                continue
            }
            do {
                request = try await request.replacing(field, with: file, keeping: given.lease)
            } catch {
                throw GatewayError(error)
            }
        }
        given.keepText()
        return request
    }

    private func link(_ field: PictureField, of wanted: TryOnRequest) -> GivenPicture? {
        wanted.pictureURL(field, with: AssetLink.path).map { GivenPicture(field.rawValue, .url($0)) }
    }

    /// A person and a garment, with files in place of links. For other pictures, the lease of the request's body
    /// already has room for their base64, within the tenant's share.
    /// - Throws: an error that names the given field.
    func outfit(
        _ human: GivenPicture, wearing garment: Garment, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> Outfit {
        switch garment {
        case .one(let cloth): return try outfit(try await files(of: [human, cloth], admitted), admitted)
        case .both(let upper, let lower):
            let file = try await oneGarment(upper, lower, admitted)
            let cloth = GivenPicture(upper.field, .file(ByteSlice(file, 0..<file.count)))
            return try outfit(try await files(of: [human, cloth], besides: file.count, admitted), admitted)
        }
    }

    private func outfit(_ given: GivenFiles, _ admitted: AdmittedRequest) throws(GatewayError) -> Outfit {
        for picture in given.pictures { try reach.check(picture) }
        return Outfit(given: given, service, admitted)
    }

    private func oneGarment(
        _ upper: GivenPicture, _ lower: GivenPicture, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> Bytes {
        let given = try await files(of: [upper, lower], besides: nil, admitted).pictures
        return try await service.oneGarment(
            upper: given[0], lower: given[1], tenant: admitted.tenant)
    }

    // MARK: Links

    /// Puts files in place of links. The memory for all of them and for their base64 is reserved at once, before the
    /// first is read.
    /// - Parameter made: the size of a file made here whose base64 needs memory as well; nil if no base64 is needed.
    private func files(
        of pictures: [GivenPicture], besides made: Int? = 0, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> GivenFiles {
        var found: [Asset?] = []
        for picture in pictures { found.append(try await asset(picture, admitted)) }
        let sizes = found.compactMap { $0?.bytes }
        let text = made.map { made in (sizes + [made]).reduce(0) { $0 + Base64.textCount(of: $1) } } ?? 0
        let lease = try await budget.room(
            for: sizes.reduce(text, +), tenant: admitted.tenant)
        var files: [GivenPicture] = []
        for (picture, asset) in zip(pictures, found) { files.append(try await read(asset, picture, lease)) }
        return GivenFiles(pictures: files, lease: lease, textCount: text)
    }

    /// The asset that a picture links to; nil if it links to none.
    /// - Throws: if the link leads to this gateway, but not to an asset of the tenant's.
    private func asset(
        _ picture: GivenPicture, _ admitted: AdmittedRequest
    ) async throws(GatewayError) -> Asset? {
        guard let assets, case .url(let text) = picture.content, let link = AssetLink(text) else { return nil }
        if let asset = try await assets.find(link.name, tenant: admitted.tenant) { return asset }
        if link.leads(to: assets.base.urls(for: admitted.request)) { throw .lostAsset(picture) }
        return nil
    }

    private func read(
        _ asset: Asset?, _ picture: GivenPicture, _ lease: ByteBudget.Lease?
    ) async throws(GatewayError) -> GivenPicture {
        guard let assets, let asset else { return picture }
        guard let bytes = try await assets.read(asset, holding: lease) else { throw .lostAsset(picture) }
        return GivenPicture(picture.field, .file(ByteSlice(bytes, 0..<bytes.count)))
    }
}

/// Pictures with files in place of links, and the memory that those take.
struct GivenFiles: Sendable {
    let pictures: [GivenPicture]
    /// nil if it is too little to be counted.
    let lease: ByteBudget.Lease?
    /// The part of the lease that is for the files' base64.
    fileprivate let textCount: Int

    /// Releases the rest of the lease, once the base64 is written.
    func keepText() { lease?.shrink(to: textCount) }
}

extension GatewayError {
    fileprivate static func lostAsset(_ picture: GivenPicture) -> GatewayError {
        GatewayError(
            .badParameter,
            "\(picture.field) links to a picture that has expired or belongs to another tenant. Upload it again.",
            parameter: picture.field)
    }
}
