internal import Base
internal import HTTPServer

/// Serves pictures to Kling, which has been told their names: `GET /pictures/{name}`.
struct HostedPictureHandler: Sendable {
    /// nil if no pictures are hosted.
    let pictures: HostedPictures?
    let budget: ByteBudget
    let observer: any GatewayObserver

    /// The owner of files in the memory budget. No tenant can have this name.
    private static let owner = "(pictures)"

    /// Answers a request for a name. An unknown name costs only a lookup in memory.
    func answer(_ request: HTTPRequest, name: String, requestID: String) async throws(GatewayError) -> HTTPResponse {
        guard let pictures, let picture = pictures.find(name) else { throw .unknownPath }
        let lease = try await budget.room(for: picture.bytes, tenant: Self.owner)
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
    /// A picture can't be hosted or read: 503. The operator is told the reason.
    init(hosting error: SpoolError, _ observer: any GatewayObserver) {
        let advice = "Send the request again later, or the pictures' own URLs."
        if error.code == .full {
            self.init(.noMemory, "The gateway's storage for pictures is full. \(advice)")
        } else {
            self.init(.storeUnavailable, "The gateway cannot keep pictures for Kling now. \(advice)")
        }
        observer.event(.error, "pictures for Kling cannot be kept", [("reason", error.detail)])
    }
}
