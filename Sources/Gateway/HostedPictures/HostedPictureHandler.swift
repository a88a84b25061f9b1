internal import Base
internal import HTTPServer

/// Gives pictures to Kling, which has been told their names: `GET /pictures/{name}`.
struct HostedPictureHandler: Sendable {
    /// nil: there are none.
    let pictures: HostedPictures?
    let budget: ByteBudget
    let observer: any GatewayObserver

    /// On whose account files are held: no tenant is called so.
    private static let owner = "(pictures)"

    /// Answers a request on the path of a name. A wrong one costs a look into the memory, whatever it is.
    func answer(_ request: HTTPRequest, name: String, requestID: String) async throws(GatewayError) -> HTTPResponse {
        guard let pictures, let picture = pictures.find(name) else { throw .unknownPath }
        let lease = try await budget.room(for: picture.bytes, tenant: Self.owner, on: request.loop)
        let bytes: Bytes
        do throws(SpoolError) {
            bytes = try await pictures.read(picture, holding: lease)
        } catch {
            if error.code == .missing { throw .unknownPath }
            throw GatewayError(hosting: error, observer)
        }
        return HTTPResponse(
            status: 200,
            headers: [
                (name: "Content-Type", value: picture.mediaType), (name: "X-Content-Type-Options", value: "nosniff"),
                (name: "Cache-Control", value: "private, no-store"), (name: "X-Request-Id", value: requestID),
            ], body: .slices([ByteSlice(bytes, 0..<bytes.count)]))
    }
}

extension GatewayError {
    /// A picture cannot be hosted, or not be read: 503. The operator is told if that is the disk's doing.
    init(hosting error: SpoolError, _ observer: any GatewayObserver) {
        let advice = "Send the request again later, or the pictures' own URLs."
        if error.code == .full {
            self.init(.noMemory, "The gateway holds as many pictures for Kling as it may. \(advice)")
        } else {
            self.init(.storeUnavailable, "The gateway cannot keep pictures for Kling now. \(advice)")
        }
        observer.event(.error, "pictures for Kling cannot be kept", [("reason", error.detail)])
    }
}
