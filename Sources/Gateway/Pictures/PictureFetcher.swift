internal import Base
internal import EventLoop
internal import HTTPServer

/// Fetches pictures through the gateway's door: a few at once, of bounded size, each redirect judged anew.
final class PictureFetcher: Sendable {
}
