import Base
import Crypto
import Foundation

/// Tokens signed by hand, as Kling's samples sign them.
enum Token {
    static func sign(_ accessKey: String, _ secretKey: String, expires: Int, notBefore: Int) -> String {
        let header = encoded(Data(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
        let claims = encoded(Data(#"{"iss":"\#(accessKey)","exp":\#(expires),"nbf":\#(notBefore)}"#.utf8))
        let signed = "\(header).\(claims)"
        let key = SymmetricKey(data: Data(secretKey.utf8))
        let signature = HMAC<SHA256>.authenticationCode(for: Data(signed.utf8), using: key)
        return "\(signed).\(encoded(Data(signature)))"
    }

    /// Base64 for URLs, without padding.
    static func encoded(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }
}
