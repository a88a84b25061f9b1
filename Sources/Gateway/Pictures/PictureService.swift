internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
internal import Pictures

/// What the gateway does with pictures itself: it fetches them, makes two garments one, and brings what an account would
/// not take into a form that it takes.
///
/// Bytes that are held count in the budget of ``ByteBudget`` until they are let go of; decoding is bounded by the workers.
final class PictureService: Sendable {
    private let fetcher: PictureFetcher
    private let workers: PictureWorkers

    init(fetcher: PictureFetcher, workers: PictureWorkers) {
        self.fetcher = fetcher
        self.workers = workers
    }

    /// Makes two garments one: a JPEG file within Kling's limits in which both are whole, `upper` above `lower`.
    /// - Throws: an error that names the given field; 503 when as many pictures wait as may.
    func oneGarment(
        upper: GivenPicture, lower: GivenPicture, tenant: String, on loop: EventLoop
    ) async throws(GatewayError) -> Bytes {
        throw .internalFault
    }

    /// The file that Kling has made: what an account's answer names.
    func result(_ url: String, tenant: String, on loop: EventLoop) async throws(GatewayError) -> Bytes {
        throw .internalFault
    }

    /// What is sent in place of the pictures of `request` to an account that wants them normalized.
    func replacements(
        for request: TryOnRequest, tenant: String, on loop: EventLoop
    ) async throws(GatewayError) -> TryOnRequest.Replacements {
        TryOnRequest.Replacements()
    }
}
