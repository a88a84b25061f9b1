import Base
import Crypto
import Foundation
import KlingAPI
import Testing

struct TokenTests {
    private let secret = Secret("s3cret")
    private let now = 1_781_080_794

    private func token(header: String = #"{"alg":"HS256","typ":"JWT"}"#, _ claims: String, key: String = "s3cret")
        -> String
    {
        let signed = Base64.encode(header.utf8, .urlSafe) + "." + Base64.encode(claims.utf8, .urlSafe)
        let code = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: SymmetricKey(data: Data(key.utf8)))
        return signed + "." + Base64.encode(code, .urlSafe)
    }

    private func fault(_ token: String) -> TokenFault? {
        do {
            try ClientToken(token).verify(secretKey: secret, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a signed token is valid for half an hour`() throws {
        let signer = TokenSigner(accessKey: "ak", secretKey: secret)
        let token = signer.token(now: now)
        let read = try ClientToken(token)
        #expect(read.issuer == "ak")
        #expect(ClientToken.looksLikeToken(token) && !ClientToken.looksLikeToken("sk-a.b.c"))
        for (moment, expected) in [(0, nil), (1859, nil), (1860, .expired), (-65, nil), (-66, .notYetValid)]
            as [(Int, TokenFault?)]
        {
            let result = Result { () throws(TokenFault) in try read.verify(secretKey: secret, now: now + moment) }
            #expect((expected == nil) == ((try? result.get()) != nil))
            if case .failure(let fault) = result { #expect(fault == expected) }
        }
        let claims = try members(#require(Base64.decode(token.split(separator: ".")[1].utf8, .urlSafe)))
        #expect(NSDictionary(dictionary: claims) == ["iss": "ak", "exp": now + 1800, "nbf": now - 5] as NSDictionary)
    }

    @Test func `a token is reused for half its life, or until Kling refuses it`() {
        let signer = TokenSigner(accessKey: "ak", secretKey: secret)
        let first = signer.token(now: now)
        #expect(signer.token(now: now + 899) == first)
        let second = signer.token(now: now + 900)
        #expect(second != first)
        signer.invalidate(first)
        #expect(signer.token(now: now + 901) == second)
        signer.invalidate(second)
        #expect(signer.token(now: now + 901) != second)
        #expect(signer.token(now: now) == first, "a clock that was set back gets a token for its time")
    }

    @Test func `the faults of a token are distinguished`() {
        let good = #"{"iss":"ak","exp":\#(now + 100)}"#
        #expect(fault(token(good)) == nil)
        #expect(fault(token(#"{"iss":"ak","exp":\#(now + 100).75,"nbf":\#(now).5}"#)) == nil)
        #expect(fault(token(good, key: "other")) == .signature)
        #expect(fault(token(#"{"iss":"ak","exp":\#(now - 60)}"#)) == .expired)
        #expect(fault(token(#"{"iss":"ak","exp":\#(now + 100),"nbf":\#(now + 61)}"#)) == .notYetValid)
        #expect(fault(token(#"{"iss":"ak","exp":\#(now + 86_461)}"#)) == .tooLong(seconds: 86_461))
        #expect(fault(token(#"{"iss":"ak","exp":\#(now - 60)}"#, key: "other")) == .signature)
        #expect(TokenFault.expired.code == .tokenExpired && TokenFault.notYetValid.code == .tokenNotYetValid)
        #expect(TokenFault.signature.code == .authorizationInvalid)
    }

    @Test func `the error for an almost valid header says what is wrong`() {
        let good = #"{"iss":"ak","exp":\#(now + 100)}"#
        let cases: [(header: String, fault: TokenFault)] = [
            (#"{"alg":"none"}"#, .algorithm("none")), (#"{"alg":"HS512"}"#, .algorithm("HS512")),
            (#"{"alg":"hs256"}"#, .algorithm("hs256")), (#"{"alg":"sk-a-long-secret"}"#, .algorithm("")),
            (#"{"alg":"HS256","crit":["x"]}"#, .malformed), ("[]", .malformed), ("{}", .malformed),
            (#"{"alg":"none","alg":"HS256"}"#, .malformed),
        ]
        for (header, expected) in cases { #expect(fault(token(header: header, good)) == expected, "\(header)") }
    }

    @Test func `the error for almost valid claims says what is wrong`() {
        let cases: [(claims: String, fault: TokenFault)] = [
            (#"{"exp":1}"#, .noIssuer), (#"{"iss":"","exp":1}"#, .noIssuer), (#"{"iss":"a"}"#, .noExpiry),
            (#"{"iss":"a","exp":"1"}"#, .notNumber(claim: "exp")),
            (#"{"iss":"a","exp":null}"#, .notNumber(claim: "exp")),
            (#"{"iss":"a","exp":1,"nbf":"x"}"#, .notNumber(claim: "nbf")),
            (#"{"iss":"a","exp":\#(now)000}"#, .expiryNotSeconds), (#"{"iss":"a","exp":1e300}"#, .expiryNotSeconds),
            (#"{"iss":"a","iss":"b","exp":1}"#, .malformed), ("x", .malformed),
        ]
        for (claims, expected) in cases { #expect(fault(token(claims)) == expected, "\(claims)") }
    }

    @Test func `an almost valid text is malformed, or not base64url`() {
        let whole = token(#"{"iss":"ak","exp":\#(now + 100)}"#)
        for text in [
            "", ".", "..", "a.b.c", whole + ".", String(whole.dropLast()), whole + "A", " " + whole,
            String(repeating: "a", count: 5000),
        ] {
            #expect(fault(text) == .malformed, "\(text)")
        }
        for text in [whole + "=", whole.dropLast(2) + "+A", whole.dropLast(2) + "/A"] {
            #expect(fault(String(text)) == .encoding, "\(text)")
        }
    }

    @Test func `the last letter of a signature has only one valid form`() {
        let whole = token(#"{"iss":"ak","exp":\#(now + 100)}"#)
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        #expect(letters.count { fault(whole.dropLast() + String($0)) == nil } == 1)
    }
}

struct WebhookSignatureTests {
    private let id = "9876543210"
    private let time = 1_781_080_794
    private let body = Array(
        #"{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}"#
            .utf8)
    private let official = "v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4="

    private func webhook() throws -> WebhookSignature {
        try #require(WebhookSignature(Secret("whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=")))
    }

    @Test func `the published example is reproduced`() throws {
        #expect(try webhook().sign(id: id, timestamp: time, body: body) == official)
    }

    @Test func `one valid signature is enough, within five minutes`() throws {
        let webhook = try webhook()
        func verify(_ header: String, now: Int? = nil, id: String = "9876543210", timestamp: String = "1781080794")
            -> Bool
        {
            webhook.verify(id: id, timestamp: timestamp, body: body, header: header, now: now ?? time)
        }
        #expect(verify(official))
        #expect(verify("v1,AAAA v1a,xx  \(official)"))
        #expect(verify(official, now: time + 300) && verify(official, now: time - 300))
        #expect(!verify(official, now: time + 301) && !verify(official, now: time - 301))
        #expect(
            !verify("") && !verify("v1,") && !verify(String(official.dropFirst(3)))
                && !verify("v2" + official.dropFirst(2)))
        #expect(!verify(official, id: "9876543211") && !verify(official, timestamp: "1781080795"))
        #expect(!verify(official, timestamp: "x") && !verify(official, timestamp: "-1"))
        #expect(!webhook.verify(id: id, timestamp: "\(time)", body: body + [0x20], header: official, now: time))
    }

    @Test func `only a well-formed secret is accepted`() {
        for text in ["", "whsec_", "dGVzdA==", "whsec_%%%%", "WHSEC_dGVzdA=="] {
            #expect(WebhookSignature(Secret(text)) == nil)
        }
        #expect(WebhookSignature.secret(key: Array("test".utf8)).reveal() == "whsec_dGVzdA==")
    }
}
