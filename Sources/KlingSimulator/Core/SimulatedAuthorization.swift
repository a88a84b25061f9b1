internal import Base
internal import KlingAPI

/// Finds the account that an `Authorization` field belongs to. Token times are checked without leeway.
struct SimulatedAuthorization: Sendable {
    private let plain: [String: Int]
    private let signed: [String: (secretKey: Secret, account: Int)]
    private let isRequired: Bool
    private let checksTimes: Bool

    /// - Parameters:
    ///   - isRequired: whether a field without valid credentials is refused; otherwise it counts as the first
    ///     account's.
    ///   - checksTimes: whether a token is refused before its `nbf` and from its `exp` on.
    init(_ accounts: [SimulatedAccount], isRequired: Bool, checksTimes: Bool) {
        var plain: [String: Int] = [:]
        var signed: [String: (secretKey: Secret, account: Int)] = [:]
        for (account, keys) in accounts.map(\.keys).enumerated() {
            for key in keys {
                switch key {
                case .plain(let text): plain[text.reveal()] = account
                case .signed(let accessKey, let secretKey): signed[accessKey] = (secretKey, account)
                }
            }
        }
        self.plain = plain
        self.signed = signed
        self.isRequired = isRequired
        self.checksTimes = checksTimes
    }

    /// The sender of a request, as its field says.
    struct Caller {
        /// The account's number.
        let account: Int
        /// Whether the credential was a plain key, or none was required. The newer API accepts nothing else.
        let isPlain: Bool
    }

    /// Finds the account of a request, or refuses the request.
    /// - Parameters:
    ///   - field: the value of `Authorization`.
    ///   - now: in milliseconds since 1970.
    func authenticate(_ field: String?, now: Int) throws(SimulatedRefusal) -> Caller {
        do {
            return try verified(field, now: now)
        } catch {
            guard isRequired else { return Caller(account: 0, isPlain: true) }
            throw error
        }
    }

    private func verified(_ field: String?, now: Int) throws(SimulatedRefusal) -> Caller {
        guard let field, !field.isEmpty else { throw SimulatedRefusal(.authorizationEmpty) }
        guard field.hasPrefix("Bearer ") else { throw SimulatedRefusal(.authorizationInvalid) }
        let credential = String(field.dropFirst("Bearer ".count))
        if let account = plain[credential] { return Caller(account: account, isPlain: true) }
        guard let token = try? ClientToken(credential), let key = signed[token.issuer] else {
            throw SimulatedRefusal(.authorizationInvalid)
        }
        do {
            try token.verify(secretKey: key.secretKey, now: now / 1000)
        } catch .signature, .malformed {
            throw SimulatedRefusal(.authorizationInvalid)
        } catch {
            // The times are checked below, without leeway.
        }
        if checksTimes { try checkTimes(credential, now: now / 1000) }
        return Caller(account: key.account, isPlain: !isRequired)
    }

    private func checkTimes(_ token: String, now: Int) throws(SimulatedRefusal) {
        let parts = token.split(separator: ".")
        guard parts.count == 3, let bytes = Base64.decode(parts[1].utf8, .urlSafe), let claims = JSONObject(bytes),
            let expires = claims.integer("exp")
        else { throw SimulatedRefusal(.authorizationInvalid) }
        if let notBefore = claims.integer("nbf"), now < notBefore { throw SimulatedRefusal(.tokenNotYetValid) }
        if now >= expires { throw SimulatedRefusal(.tokenExpired) }
    }
}
