internal import Base
internal import HTTPServer
internal import KlingAPI

/// Stores the pictures that tenants upload, and serves them.
struct AssetHandler: Sendable {
    let assets: any Uploads
    /// Checks whether files are whole.
    let pictures: PictureService
    let budget: ByteBudget
    let observer: any GatewayObserver
    let base: LinkBase

    /// Stores the picture in a request's body.
    func upload(_ admitted: AdmittedRequest, bodyLimit: Int) async throws(GatewayError) -> HTTPResponse {
        let types = admitted.request.headers.values(of: "Content-Type")
        if types.contains(where: { $0.lowercased().hasPrefix("multipart/") }) {
            throw GatewayError(
                .unsupportedMediaType,
                "This path accepts only a picture. Send its bytes as the body, as image/jpeg, image/png or image/webp."
            )
        }
        guard let base = base.urls(for: admitted.request).first else {
            throw GatewayError(.malformedRequest, "The request has no Host, which the picture's link needs.")
        }
        let body = try await admitted.body(limit: min(bodyLimit, TryOn.maxPictureBytes))
        let picture = ByteSlice(body, 0..<body.count)
        let header: ImageHeader
        do {
            header = try ImageHeader.check(file: picture)
        } catch {
            throw GatewayError(.badParameter, "The body \(error)")
        }
        if let defect = try await pictures.endDefect(of: picture) {
            throw GatewayError(.badParameter, "The body \(defect)")
        }
        let asset: Asset
        do {
            asset = try await assets.keep(picture, format: header.format, tenant: admitted.tenant, now: nil)
        } catch {
            throw unavailable(error)
        }
        self.base.check(admitted.request, observer)
        let answer = JSONWriter.object { answer in
            answer.member("status", Self.uploaded)
            answer.member("url", AssetLink.url(of: asset, base: base))
            answer.member("message", "")
            answer.member("fileName", asset.name)
        }
        return Answer.success(answer, requestID: admitted.note.requestID)
    }

    /// useapi.net's status for a successful upload.
    private static let uploaded = 3

    /// Serves a picture to its tenant.
    func download(_ admitted: AdmittedRequest) async throws(GatewayError) -> HTTPResponse {
        guard let asset = try await find(admitted.identifier, tenant: admitted.tenant) else { throw .unknownAsset }
        let lease = try await budget.room(for: asset.bytes, tenant: admitted.tenant)
        guard let bytes = try await read(asset, holding: lease) else { throw .unknownAsset }
        return HTTPResponse(
            status: 200,
            headers: [
                (name: "Content-Type", value: asset.mediaType), (name: "X-Content-Type-Options", value: "nosniff"),
                (name: "Cache-Control", value: "private"), (name: "X-Request-Id", value: admitted.note.requestID),
            ], body: .slices([ByteSlice(bytes, 0..<bytes.count)]))
    }

    /// The picture that a tenant has under a name; nil if there is none or it has expired.
    func find(_ name: String, tenant: String) async throws(GatewayError) -> Asset? {
        do throws(SpoolError) {
            return try await assets.find(name, tenant: tenant, now: nil)
        } catch {
            throw unavailable(error)
        }
    }

    /// Reads a picture.
    /// - Parameter holding: released together with the block.
    /// - Returns: nil if the picture no longer exists.
    func read(_ asset: Asset, holding: (any Sendable)?) async throws(GatewayError) -> Bytes? {
        do throws(SpoolError) {
            return try await assets.read(asset, holding: holding)
        } catch {
            if error.code == .missing { return nil }
            throw unavailable(error)
        }
    }

    private func unavailable(_ error: SpoolError) -> GatewayError {
        observer.event(.error, "uploaded pictures cannot be kept", [("reason", error.detail)])
        return GatewayError(
            .storeUnavailable,
            "The gateway cannot keep pictures now. Send the request again later, or a picture's own URL.")
    }
}

extension GatewayError {
    /// The picture does not exist, is another tenant's, or has expired.
    fileprivate static let unknownAsset = GatewayError(
        .unknownPath,
        "There is no such picture. Uploads are kept for a day, and only keys of the same tenant can read them.")
}
