import Base
import KlingAPI
import Testing

@testable import Gateway

/// What clients are told about credentials that are rejected.
struct CredentialMessageTests {
    private let fixture: Fixture
    private let issued: IssuedKey
    private var now: Int { Int(fixture.time.wall / 1000) }

    init() async throws {
        fixture = try Fixture()
        issued = try await fixture.issuer.issue(tenant: "shop", at: fixture.time.wall)
        try await fixture.access.load()
    }

    /// The message for the value of an `Authorization` field; nil if it is accepted.
    private func message(_ value: String) async -> String? {
        do {
            _ = try await fixture.access.authenticate(authorization: [value])
            return nil
        } catch {
            return GatewayError(error).message
        }
    }

    private func signed(expiring seconds: Int) -> String {
        let signer = TokenSigner(accessKey: issued.accessKey, secretKey: issued.secretKey)
        return signer.token(now: now + seconds - 1800)
    }

    /// A token whose signature isn't looked at, because its claims or header are rejected before.
    private func unsigned(_ claims: String, algorithm: String = "HS256") -> String {
        let header = Base64.encode(#"{"alg":"\#(algorithm)"}"#.utf8, .urlSafe)
        let body = Base64.encode(#"{"iss":"\#(issued.accessKey)"\#(claims)}"#.utf8, .urlSafe)
        return "\(header).\(body).c2lnbmF0dXJl"
    }

    @Test(arguments: [
        (7 * 86_400, "The token's exp is 7 days ahead; at most 24 h are allowed. Sign it with exp = now + 1800."),
        (7 * 86_400 - 3, "The token's exp is 7 days ahead; at most 24 h are allowed. Sign it with exp = now + 1800."),
        (86_640, "The token's exp is 24 h 4 min ahead; at most 24 h are allowed. Sign it with exp = now + 1800."),
        (-61, "The token has expired. Sign a new one; check this machine's clock."),
    ])
    func `the error for a token that lasts too long gives its lifetime`(seconds: Int, text: String) async throws {
        #expect(await message("Bearer " + signed(expiring: seconds)) == text)
    }

    @Test func `the error for a defective token gives the fix`() async throws {
        let cases = [
            (unsigned(""), "The token has no exp. Sign it with exp = now + 1800, in seconds since 1970."),
            (
                unsigned(#","exp":\#(now)000"#),
                "The token's exp is in milliseconds, or far too large. Sign it with exp = now + 1800, in seconds since 1970."
            ),
            (
                unsigned(#","exp":"\#(now)""#),
                "The token's exp is not a number. Write it without quotes, in seconds since 1970."
            ),
            (unsigned("", algorithm: "HS512"), "The token is signed with HS512; HS256 is needed."),
            (unsigned("", algorithm: "sk-secret-key"), "The token is signed with another algorithm; HS256 is needed."),
            (
                signed(expiring: 1800) + "=",
                "The token is not base64url. Write - for +, _ for /, and no = at the end of its parts."
            ),
        ]
        for (token, text) in cases { #expect(await message("Bearer " + token) == text) }
    }

    @Test func `a credential in the wrong place is distinguished from a wrong one`() async throws {
        let word = "The Authorization header lacks the word Bearer. Send it as: Bearer <key>."
        #expect(await message(issued.key.reveal()) == word)
        #expect(await message(signed(expiring: 1800)) == word)
        #expect(
            await message("Bearer " + issued.accessKey)
                == "This is an access key: sign a token with it and its secret key, or send the bearer key (sk-...).")
        #expect(
            await message("Basic c2s6")
                == "The Authorization header is malformed. Send it once, as: Authorization: Bearer <key>.")
        #expect(await message("Bearer " + issued.key.reveal()) == nil)
    }
}
