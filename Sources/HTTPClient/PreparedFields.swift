/// Header fields that are checked and written out once, for requests that are sent often.
public final class PreparedFields: Sendable {
    let list: [(name: String, value: String)]
    /// The lines in a head, or why a field is refused.
    let lines: Result<[UInt8], HTTPClientError>
    /// Whether `Accept` is among them.
    let accepts: Bool

    /// Prepares fields, for which the same holds as for ``HTTPClientRequest/headers``.
    public init(_ fields: [(name: String, value: String)]) {
        list = fields
        var bytes: [UInt8] = []
        do throws(HTTPClientError) {
            try HTTPClientRequest.render(fields, into: &bytes)
            lines = .success(bytes)
        } catch {
            lines = .failure(error)
        }
        accepts = fields.contains { HTTPClientRequest.isAccept($0.name) }
    }
}
