internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI

/// Turns the pictures of a create into what Kling is sent: links of assets become files, two garments become one.
struct UseapiPictures: Sendable {
    /// nil: nothing is kept, and no link leads to it.
    let assets: AssetHandler?
    let service: PictureService
    let budget: ByteBudget
    let models: TryOnModels
    let request: HTTPRequest
    let tenant: String

    /// A picture whose bytes may still lie on the disk.
    private struct Source {
        var picture: GivenPicture
        var asset: Asset?

        /// How many bytes are needed beside those that are held already, to write it down in base64.
        var room: Int {
            switch picture.content {
            case _ where asset != nil: written(asset?.bytes ?? 0)
            case .url: 0
            case .file(let bytes), .base64(let bytes): written(bytes.count)
            }
        }

        private func written(_ count: Int) -> Int { count * TryOnParts.growthPercent / 100 }
    }

    /// The create in Kling's words. What it holds counts in the memory's budget.
    func tryOn(_ wanted: UseapiRequest) async throws(GatewayError) -> TryOnRequest {
        var human = try source(wanted.human)
        var cloth: Source
        switch wanted.garment {
        case .one(let picture): cloth = try source(picture)
        case .both(let upper, let lower): cloth = try await oneGarment(upper, lower)
        }
        let text = human.room + cloth.room
        let lease = try await room(for: [human, cloth], and: text)
        try await load(&human, lease)
        try await load(&cloth, lease)
        let parts = TryOnParts(model: wanted.model, human: human.picture.part, cloth: cloth.picture.part)
        do {
            let request = try await parts.request(models: models, keeping: lease)
            lease?.shrink(to: text)
            return request
        } catch {
            throw GatewayError(error).renamed(wanted.names)
        }
    }

    private func oneGarment(_ upper: GivenPicture, _ lower: GivenPicture) async throws(GatewayError) -> Source {
        var (above, below) = (try source(upper), try source(lower))
        let lease = try await room(for: [above, below], and: 0)
        try await load(&above, lease)
        try await load(&below, lease)
        let made = try await service.oneGarment(
            upper: above.picture, lower: below.picture, tenant: tenant, on: request.loop)
        return Source(picture: GivenPicture(upper.field, .file(ByteSlice(made, 0..<made.count))))
    }

    /// Finds out whether a picture is an asset.
    /// - Throws: if it has the link of one that the tenant doesn't have.
    private func source(_ picture: GivenPicture) throws(GatewayError) -> Source {
        guard let assets, case .url(let text) = picture.content, let link = AssetLink(text) else {
            return Source(picture: picture)
        }
        if let asset = assets.assets.find(link.name, tenant: tenant) { return Source(picture: picture, asset: asset) }
        if link.leads(to: assets.bases(request)) { throw .lostAsset(picture) }
        return Source(picture: picture)
    }

    private func room(for sources: [Source], and more: Int) async throws(GatewayError) -> ByteBudget.Lease? {
        let bytes = sources.reduce(more) { $0 + ($1.asset?.bytes ?? 0) }
        return try await budget.room(for: bytes, tenant: tenant, on: request.loop)
    }

    private func load(_ source: inout Source, _ lease: ByteBudget.Lease?) async throws(GatewayError) {
        guard let assets, let asset = source.asset else { return }
        guard let bytes = try await assets.read(asset, holding: lease) else { throw .lostAsset(source.picture) }
        source.picture = GivenPicture(source.picture.field, .file(ByteSlice(bytes, 0..<bytes.count)))
    }
}

extension GivenPicture {
    fileprivate var part: TryOnParts.Picture {
        switch content {
        case .url(let text): .url(text)
        case .file(let bytes): .file(bytes)
        case .base64(let text): .base64(text)
        }
    }
}

extension GatewayError {
    fileprivate static func lostAsset(_ picture: GivenPicture) -> GatewayError {
        GatewayError(
            .badParameter,
            "\(picture.field) is the link of a picture that is not kept any more, or not for this key. Upload it again.",
            parameter: picture.field)
    }
}
