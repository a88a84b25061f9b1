package import Base
internal import Glibc

/// Bytes that are being written: rendered ones, then ranges of blocks, which are not copied.
package struct OutgoingBytes {
    private var rendered: [UInt8]
    private var renderedOffset = 0
    private var slices: [ByteSlice]
    private var sliceIndex = 0
    private var sliceOffset = 0

    /// The most parts handed to the system in one call.
    private static let partsPerCall = 32

    package init(rendered: [UInt8], slices: [ByteSlice]) {
        self.rendered = rendered
        self.slices = slices
    }

    /// Whether everything is written.
    package var isEmpty: Bool { renderedOffset == rendered.count && sliceIndex == slices.count }

    /// Writes until everything is written, or the socket has no room.
    /// - Returns: how many bytes were written, and the outcome of the last call (`bytes` if everything is written).
    package mutating func write(to transport: Transport) -> (count: Int, outcome: Transport.Outcome) {
        var total = 0
        while !isEmpty {
            let outcome = writeOnce(to: transport)
            guard case .bytes(let count) = outcome else { return (total, outcome) }
            total += count
            advance(by: count)
        }
        return (total, .bytes(total))
    }

    /// Returns the rendered bytes, so that their capacity can be reused.
    package consuming func takeRendered() -> [UInt8] { rendered }

    private func writeOnce(to transport: Transport) -> Transport.Outcome {
        // A block's bytes do not move, and `slices` keeps the blocks alive beyond the call.
        unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.partsPerCall) { parts in
            unsafe rendered.withUnsafeBytes { bytes in
                var used = 0
                func add(_ part: UnsafeRawBufferPointer) {
                    unsafe parts.initializeElement(
                        at: used,
                        to: iovec(iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress), iov_len: part.count))
                    used += 1
                }
                if renderedOffset < bytes.count { unsafe add(.init(rebasing: bytes[renderedOffset...])) }
                for index in slices[sliceIndex...].indices.prefix(Self.partsPerCall - 1) {
                    unsafe slices[index].withUnsafeBytes { part in
                        unsafe add(.init(rebasing: part[(index == sliceIndex ? sliceOffset : 0)...]))
                    }
                }
                return unsafe transport.send(.init(rebasing: parts[..<used]))
            }
        }
    }

    private mutating func advance(by count: Int) {
        let fromRendered = min(count, rendered.count - renderedOffset)
        renderedOffset += fromRendered
        sliceOffset += count - fromRendered
        while sliceIndex < slices.count, sliceOffset >= slices[sliceIndex].count {
            sliceOffset -= slices[sliceIndex].count
            sliceIndex += 1
        }
    }
}
