internal import Base
internal import KlingAPI

/// The link of an uploaded picture.
struct AssetLink: Sendable, Hashable {
    /// The path of all links.
    static let path: StaticString = "/v1/kling/assets/"

    /// What follows the path: the asset's name.
    let name: String
    /// The host, in lower case.
    let host: String

    /// The link of `asset`.
    /// - Parameter base: the URL at which clients reach the gateway, without a trailing slash.
    static func url(of asset: Asset, base: String) -> String { "\(base)\(path)\(asset.name)" }

    /// Parses a URL; nil if no gateway makes such links.
    init?(_ text: String) {
        guard let url = try? HTTPURL(text) else { return nil }
        let address = text.prefix { $0 != "?" }
        guard let place = address.firstRange(of: "\(Self.path)"), PictureFormat.isLinkName(address[place.upperBound...])
        else {
            return nil
        }
        name = String(address[place.upperBound...])
        host = url.host
    }

    /// Whether the link leads to the gateway.
    /// - Parameter bases: the URLs at which clients reach it.
    func leads(to bases: [String]) -> Bool { bases.contains { (try? HTTPURL($0))?.host == host } }
}
