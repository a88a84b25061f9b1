internal import Base

/// The TLS rules for each file of certificate authorities. Loop-confined.
final class TLSClientContexts {
    private var known: [String?: (context: TLSClientContext, loaded: MonotonicTime)] = [:]

    /// How long certificate authorities are used before their file is read again, as by libcurl.
    private static let lifetime = Duration.seconds(86_400)

    /// The rules for a file, which is read when it is first needed; nil is libcurl's default file.
    func context(_ caFile: String?) throws(HTTPClientError) -> TLSClientContext {
        let now = MonotonicTime.now
        if let (context, loaded) = known[caFile], now - loaded < Self.lifetime { return context }
        let context = try TLSClientContext(caFile: caFile)
        known[caFile] = (context, now)
        return context
    }
}
