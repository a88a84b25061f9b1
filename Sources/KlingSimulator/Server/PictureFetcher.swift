internal import EventLoop
internal import HTTPClient
internal import KlingAPI

/// Fetches the pictures of creates, as Kling's servers do: from any address, without following redirects.
struct PictureFetcher: Sendable {
    private let client: HTTPClient
    private let loop: EventLoop

    private static let timeout = Duration.seconds(10)
    /// The maximum number of pictures in flight; further ones wait.
    private static let connections = 32

    /// - Throws: ``HTTPClient/HTTPClientError`` if the client cannot be created.
    init(loop: EventLoop) throws(HTTPClientError) {
        var configuration = HTTPClientConfiguration()
        configuration.limit(to: Self.connections)
        client = try HTTPClient(loop: loop, configuration: configuration)
        self.loop = loop
    }

    /// Stops fetching.
    func stop() { client.shutdown() }

    /// Fetches each of the URLs. The results are in the same order.
    func fetch(_ urls: [String]) async -> [FetchedPicture] {
        let transfers = urls.map { url in loop.spawn { [self] in await fetch(url) } }
        var pictures: [FetchedPicture] = []
        for transfer in transfers { pictures.append(await transfer.value) }
        return pictures
    }

    private func fetch(_ url: String) async -> FetchedPicture {
        var request = HTTPClientRequest(.get, url)
        request.timeout = Self.timeout
        request.maximumAnswer = TryOn.maxPictureBytes
        do {
            let answer = try await client.execute(request)
            return .answer(status: answer.status, body: answer.body)
        } catch {
            return error.code == .tooLarge ? .tooLong : .nothing(error.code.rawValue)
        }
    }
}
