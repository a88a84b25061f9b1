internal import HTTPServer
internal import Synchronization

/// The id of an exchange: the client's if it sent a usable one, else a generated one.
enum RequestID {
    /// Client ids are 1 to this many visible ASCII characters.
    static let maxLength = 128
    private static let madeLength = 15

    static func of(_ headers: HTTPHeaders) -> String {
        let given = headers.values(of: "X-Request-Id")
        guard given.count == 1, let id = given.first, !id.isEmpty, id.utf8.count <= maxLength,
            id.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return made() }
        return id
    }

    static func of(_ rejection: HTTPRejection) -> String { rejection.head.map { of($0.headers) } ?? made() }

    /// Generates an id: 15 hex digits, as many as a `String` holds without an allocation. They are taken from a counter
    /// that a bijection spreads over the whole range of numbers.
    static func made() -> String {
        var bits = seed &+ counter.add(1, ordering: .relaxed).newValue &* 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return unsafe String(unsafeUninitializedCapacity: madeLength) { digits in
            for index in 0..<madeLength {
                let digit = UInt8(bits >> (4 * index) & 15)
                // The buffer has room for the `madeLength` bytes that were requested.
                unsafe digits[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
            }
            return madeLength
        }
    }

    private static let seed = UInt64.random(in: .min ... .max)
    private static let counter = Atomic<UInt64>(0)
}
