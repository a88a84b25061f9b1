internal import Base
internal import KlingAPI

/// Refuses picture links that Kling cannot fetch, judging by their hosts.
struct LinkPolicy: Sendable {
    /// Whether hosts of local networks are refused. They are allowed if an account is in such a network itself, or if
    /// the gateway fetches pictures for an account: fetching has its own rules.
    private let refusesLocal: Bool
    /// The host of the gateway's own links, which is always allowed.
    private let ownHost: String?

    init(accounts: [Account], publicURL: String?) {
        refusesLocal = accounts.allSatisfy { account in
            !account.normalizesPictures && !(LinkHost.of(account.baseURL).map(LinkHost.isLocal) ?? false)
        }
        ownHost = publicURL.flatMap(LinkHost.of)
    }

    /// Refuses a create with a link that Kling cannot fetch.
    func check(_ request: TryOnRequest) throws(GatewayError) {
        guard refusesLocal else { return }
        for field in PictureField.allCases {
            if let link = request.pictureURL(field) { try check(link, field.rawValue) }
        }
    }

    /// Refuses a picture that is given as a link that Kling cannot fetch.
    func check(_ picture: GivenPicture) throws(GatewayError) {
        if refusesLocal, case .url(let link) = picture.content { try check(link, picture.field) }
    }

    private func check(_ link: String, _ field: String) throws(GatewayError) {
        guard let host = LinkHost.of(link), LinkHost.isLocal(host), host != ownHost else { return }
        throw GatewayError(
            .badParameter,
            "\(field) links to \(host.prefix(100)), which Kling cannot reach: send the picture's bytes, or upload it to "
                + "\(AssetLink.path.description.dropLast()).",
            parameter: field)
    }
}
