import Base
import Crypto
import Foundation
import TestKit
import Testing

/// Tokens that clients sign themselves, with key pairs that the gateway issued.
@Suite(.aFewAtATime) struct ClientTokenTests {
    private static let header = #"{"alg":"HS256","typ":"JWT"}"#

    /// A token with any claims and header, signed with `key` by `HMAC<Hash>`.
    private func token<Hash: HashFunction>(
        _ claims: String, key: String, header: String = header, _: Hash.Type = SHA256.self
    ) -> String {
        let signed = "\(Token.encoded(Data(header.utf8))).\(Token.encoded(Data(claims.utf8)))"
        let code = HMAC<Hash>.authenticationCode(for: Data(signed.utf8), using: SymmetricKey(data: Data(key.utf8)))
        return "\(signed).\(Token.encoded(Data(code)))"
    }

    /// Kling's code in the answer to a list requested with `token`; 0 if the list is returned.
    private func code(_ rig: Rig, _ token: String) async throws -> Int? {
        let answer = try await rig.gateway.ask("GET", Fixture.path, key: token)
        #expect(answer.status == (answer.code == 0 ? 200 : 401), "\(answer.text)")
        return answer.code
    }

    @Test func `validates each JWT claim`() async throws {
        try await Rig.run { rig in
            let keys = try await PrintedKey.made(rig)
            let (now, day) = (Int(WallClock.seconds), 86_400)
            let cases: [(claims: String, code: Int)] = [
                (#""exp":\#(now + 1800),"nbf":\#(now - 5)"#, 0),
                (#""exp":\#(now + 1800)"#, 0),
                (#""exp":\#(now + 1800),"iat":\#(now),"sub":"x","jti":"1","aud":["a"]"#, 0),
                (#""exp":\#(now + day)"#, 0),
                (#""exp":\#(now - 30),"nbf":\#(now - 900)"#, 0),
                (#""exp":\#(now + 1800),"nbf":\#(now + 30)"#, 0),
                (#""exp":\#(now + day + 300)"#, 1002),
                (#""exp":\#(now + 1800)000"#, 1002),
                (#""exp":1e300"#, 1002),
                (#""nbf":\#(now - 5)"#, 1002),
                (#""exp":null"#, 1002),
                (#""exp":"\#(now + 1800)""#, 1002),
                (#""exp":\#(now + 1800),"exp":\#(now + 1800)"#, 1002),
                (#""exp":\#(now + 1800),"nbf":"\#(now)""#, 1002),
                (#""exp":\#(now + 1800),"nbf":\#(now + 300)"#, 1003),
                (#""exp":\#(now - 120),"nbf":\#(now - 900)"#, 1004),
                (#""exp":0"#, 1004),
            ]
            for (claims, expected) in cases {
                let token = token(#"{"iss":"\#(keys.accessKey)",\#(claims)}"#, key: keys.secretKey)
                #expect(try await code(rig, token) == expected, "\(claims)")
            }
        }
    }

    @Test func `accepts only HS256 with the issuer's own secret key`() async throws {
        try await Rig.run { rig in
            let keys = try await PrintedKey.made(rig)
            let other = try await PrintedKey.made(rig, tenant: "other")
            let claims = #"{"iss":"\#(keys.accessKey)","exp":\#(Int(WallClock.seconds) + 1800)}"#
            let good = token(claims, key: keys.secretKey)
            #expect(try await code(rig, good) == 0)
            let bare = good.split(separator: ".").prefix(2).joined(separator: ".")
            let none = "\(Token.encoded(Data(#"{"alg":"none"}"#.utf8))).\(Token.encoded(Data(claims.utf8)))"
            let forgeries = [
                token(claims, key: other.secretKey), token(claims, key: ""), token(claims, key: keys.accessKey),
                token(claims, key: keys.key), token(claims, key: "simulated-secret-key"),
                token(claims, key: keys.secretKey, header: #"{"alg":"HS512","typ":"JWT"}"#, SHA512.self),
                token(claims, key: keys.secretKey, header: #"{"alg":"HS384"}"#, SHA384.self),
                token(claims, key: keys.secretKey, header: #"{"alg":"HS512"}"#),
                token(claims, key: keys.secretKey, header: #"{"alg":"RS256"}"#),
                token(claims, key: keys.secretKey, header: "{}"),
                none, "\(none).", "\(none).\(good.split(separator: ".")[2])", bare, "\(bare).", "\(good).", "\(good)=",
                String(good.dropLast(2)), "\(good).\(good)",
            ]
            for forgery in forgeries { #expect(try await code(rig, forgery) == 1002, "\(forgery)") }
            #expect(try await code(rig, good) == 0)
        }
    }

    @Test func `a token acts for its key's tenant and stops working with its key`() async throws {
        try await Rig.run { rig in
            let keys = try await PrintedKey.made(rig)
            let expires = Int(WallClock.seconds) + 1800
            let signed = Token.sign(keys.accessKey, keys.secretKey, expires: expires, notBefore: expires - 1805)
            let id = try await rig.createdTask()
            #expect(
                try await rig.gateway.ask("GET", Fixture.path + "//" + id, key: signed).data["task_id"] as? String == id
            )
            let stranger = try await PrintedKey.made(rig, tenant: "other")
            let strange = Token.sign(
                stranger.accessKey, stranger.secretKey, expires: expires, notBefore: expires - 1805)
            #expect(try await rig.gateway.ask("GET", Fixture.path + "/" + id, key: strange).status == 404)

            let next = try PrintedKey.read(try await rig.command("keys", "rotate", keys.id, "--json"))
            let renewed = Token.sign(next.accessKey, next.secretKey, expires: expires, notBefore: expires - 1805)
            #expect(try await code(rig, renewed) == 0)
            try await eventually("the old key is invalid") { try await code(rig, signed) == 1002 }
            let mixed = Token.sign(keys.accessKey, next.secretKey, expires: expires, notBefore: expires - 1805)
            #expect(try await code(rig, mixed) == 1002)
            _ = try await rig.command("keys", "revoke", next.id)
            try await eventually("the new key is invalid") { try await code(rig, renewed) == 1002 }
        }
    }
}
