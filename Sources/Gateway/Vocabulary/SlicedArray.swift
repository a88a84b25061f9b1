internal import Base
internal import HTTPServer

/// A JSON array that is written element by element. Long elements have blocks of their own, which are sent without
/// copying, so nothing is in memory twice.
struct SlicedArray {
    private var slices: [ByteSlice] = []
    /// Short elements, which are gathered into one block.
    private var gathered: [UInt8]
    private var isEmpty = true

    /// - Parameters:
    ///   - head: what comes before the elements, including the bracket.
    ///   - capacity: the approximate number of bytes.
    init(after head: some Collection<UInt8>, capacity: Int) {
        gathered = Array(head)
        gathered.reserveCapacity(min(capacity, Bytes.mappingThreshold))
    }

    /// Appends an element.
    mutating func append(_ element: [UInt8]) {
        if !isEmpty { gathered.append(UInt8(ascii: ",")) }
        isEmpty = false
        if gathered.count + element.count <= Bytes.mappingThreshold { return gathered.append(contentsOf: element) }
        flush()
        slices.append(Self.whole(Bytes(element)))
    }

    /// The body.
    /// - Parameters:
    ///   - tail: what comes after the elements, including the bracket.
    ///   - lease: the memory of a long body, held until the body is sent.
    consuming func body(before tail: some Collection<UInt8>, holding lease: ByteBudget.Lease?) -> HTTPResponse.Body {
        gathered.append(contentsOf: tail)
        guard lease != nil || !slices.isEmpty else { return .bytes(gathered) }
        flush(holding: lease)
        return .slices(slices)
    }

    private mutating func flush(holding lease: ByteBudget.Lease? = nil) {
        let block = Bytes(capacity: gathered.count) { withExtendedLifetime(lease) {} }
        unsafe gathered.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
        slices.append(Self.whole(block))
        gathered.removeAll(keepingCapacity: true)
    }

    private static func whole(_ block: Bytes) -> ByteSlice { ByteSlice(block, 0..<block.count) }
}
