internal import Base
internal import HTTPServer

/// Serves pictures to Kling, which has been told their names: `GET /pictures/{name}`.
struct HostedPictureHandler: Sendable {
    /// nil if no pictures are hosted.
    let pictures: (any PictureHost)?
    let budget: ByteBudget
    let observer: any GatewayObserver

    /// The owner of files in the memory budget. No tenant can have this name.
    private static let owner = "(pictures)"

    /// Answers a request for a name. An unknown name costs only a lookup.
    func answer(_ request: HTTPRequest, name: String, requestID: String) async throws(GatewayError) -> HTTPResponse {
        guard let pictures else { throw .unknownPath }
        let found = try await checked { () throws(SpoolError) in try await pictures.find(name) }
        guard let picture = found else { throw .unknownPath }
        let lease = try await budget.room(for: picture.bytes, tenant: Self.owner)
        let bytes = try await checked { () throws(SpoolError) in try await pictures.read(picture, holding: lease) }
        return HTTPResponse(
            status: 200,
            headers: [
                (name: "Content-Type", value: picture.mediaType), (name: "X-Content-Type-Options", value: "nosniff"),
                (name: "Cache-Control", value: "private, no-store"), (name: "X-Request-Id", value: requestID),
            ], body: .slices([ByteSlice(bytes, 0..<bytes.count)]))
    }

    private func checked<Value>(
        _ body: () async throws(SpoolError) -> Value
    ) async throws(GatewayError) -> Value {
        do throws(SpoolError) {
            return try await body()
        } catch {
            if error.code == .missing { throw .unknownPath }
            throw GatewayError(hosting: error, observer)
        }
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
