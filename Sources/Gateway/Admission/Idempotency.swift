internal import Base
internal import HTTPServer
internal import TaskStore

/// A client's `Idempotency-Key`, and the request that used it before, if there is one.
struct IdempotentRequest: Sendable {
    /// The header field.
    static let header: StaticString = "Idempotency-Key"
    private static let longest = 255

    let key: String
    /// The first request with the key; nil if this is the first.
    let known: IdempotencyRecord?
    /// Uses of the key before this time are forgotten; in milliseconds since 1970.
    private let expiry: Int64

    /// Reads the key of a request, without quotes around it (RFC 8941 section 3.3.3); nil if it has none.
    static func key(in headers: HTTPHeaders) throws(GatewayError) -> String? {
        let values = headers.values(of: header)
        guard let value = values.first else { return nil }
        guard values.count == 1, !value.contains(", ") else {
            throw GatewayError(
                .badParameter, "\(header) has several values. Send the header field once.", parameter: "\(header)")
        }
        let isQuoted = value.utf8.count > 1 && value.hasPrefix("\"") && value.hasSuffix("\"")
        let key = isQuoted ? String(value.dropFirst().dropLast()) : value
        let isKey = key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard isKey, (1...longest).contains(key.utf8.count) else {
            throw GatewayError(
                .badParameter, "\(header) must be one value of 1 to \(longest) visible ASCII characters.",
                parameter: "\(header)")
        }
        return key
    }

    /// Looks up the first request with a key.
    /// - Parameter now: the believed time. A key that is forgotten too early may cost a second payment.
    init(_ key: String, tenant: String, in store: any TaskStore, believed now: Int64) async throws(GatewayError) {
        self.key = key
        let expiry = now - IdempotencyRecord.lifetime
        self.expiry = expiry
        do throws(StoreError) {
            known = try await store.idempotency(tenant: tenant, key: key).flatMap { $0.createdAt < expiry ? nil : $0 }
        } catch {
            throw GatewayError(error)
        }
    }

    /// The claim on the key that a create makes.
    func claim(_ fingerprint: [UInt8]) -> IdempotencyKey {
        IdempotencyKey(key: key, fingerprint: fingerprint, expiry: expiry)
    }

    /// Refuses a request whose content differs from that of the first request with its key.
    func checkContent(_ fingerprint: [UInt8]) throws(GatewayError) {
        guard let known, known.fingerprint != fingerprint else { return }
        throw GatewayError(
            .idempotencyMismatch,
            "\(Self.header) was already used for a different request. Send a new key with a new request.",
            parameter: "\(Self.header)")
    }
}

extension GatewayError {
    static let idempotencyKeyOpen = GatewayError(
        .idempotencyOpen,
        "The first request with this Idempotency-Key is still being answered. Send it again in a few seconds.",
        parameter: "\(IdempotentRequest.header)")
}
