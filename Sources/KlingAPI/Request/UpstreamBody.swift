public import Base

extension TryOnRequest {
    /// Bodies below this size are sent as one block: copying them costs less than a list of slices.
    public static let gatheringThreshold = 16 << 10

    /// Base64 texts, without quotes, that are sent in place of the client's pictures.
    public struct Replacements: Sendable {
        public var human: ByteSlice?
        public var cloth: ByteSlice?

        public init(human: ByteSlice? = nil, cloth: ByteSlice? = nil) {
            self.human = human
            self.cloth = cloth
        }
    }

    /// The body to send to Kling in the kolors dialect.
    ///
    /// It has the client's members as they were checked, without default settings. The model has its kolors name, and
    /// the gateway's own id and callback URL replace the client's. A large body is not copied: the slices are ranges of
    /// the client's body, with small rewritten pieces between them.
    /// - Parameters:
    ///   - externalTaskID: the gateway's id of the task.
    ///   - callbackURL: the URL at which Kling calls the gateway, if any.
    ///   - replacements: pictures to send in place of the client's.
    public func upstreamBody(
        externalTaskID: String, callbackURL: String?, replacements: Replacements = Replacements()
    ) -> [ByteSlice] {
        let head = head(externalTaskID, callbackURL)
        let more = (replacements.human?.count ?? 0) + (replacements.cloth?.count ?? 0)
        let room = body.count + lengthOutsideBody(humanText) + lengthOutsideBody(clothText) + head.count + more + 16
        if room < Self.gatheringThreshold {
            var block = BlockSink(capacity: room)
            write(head, replacements, to: &block)
            return [ByteSlice(block.block, 0..<block.block.count)]
        }
        var list = SliceSink()
        write(head, replacements, to: &list)
        return list.slices
    }

    /// The length of a text that is not in the client's body; 0 if it is.
    private func lengthOutsideBody(_ text: PictureText?) -> Int {
        guard let text, text.block !== body else { return 0 }
        return text.value.count
    }

    /// Default settings are not sent, because this dialect does not support settings. Others are kept with a waiting
    /// request, which the gateway never sends in this shape.
    private func isLeftOut(_ index: Int) -> Bool {
        indexes.isReplaced(index) || settings.isDefault && indexes.isSetting(index)
    }

    /// The start of the object, which the client's members follow.
    private func head(_ externalTaskID: String, _ callbackURL: String?) -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(160 + (callbackURL?.utf8.count ?? 0))
        head.append(#"{"model_name":"#)
        JSONString.append(TryOnModels.kolorsName(of: model), to: &head)
        head.append(#","external_task_id":"#)
        JSONString.append(externalTaskID, to: &head)
        if let callbackURL {
            head.append(#","callback_url":"#)
            JSONString.append(callbackURL, to: &head)
        }
        return head
    }

    private func write(_ head: [UInt8], _ replacements: Replacements, to sink: inout some BodySink) {
        sink.add(head)
        for index in scan.members.indices where !isLeftOut(index) {
            let member = scan.members[index]
            if index == 0 {
                sink.add(Self.comma)
                sink.add(ByteSlice(body, member.name.lowerBound - 1..<member.value.lowerBound))
            } else {
                // The text after the previous value holds exactly one comma, and this member's name.
                sink.add(ByteSlice(body, scan.members[index - 1].value.upperBound..<member.value.lowerBound))
            }
            if index == indexes.human {
                write(member, humanText, replacements.human, to: &sink)
            } else if index == indexes.cloth {
                write(member, clothText, replacements.cloth, to: &sink)
            } else {
                sink.add(ByteSlice(body, member.value))
            }
        }
        sink.add(ByteSlice(body, scan.value.upperBound - 1..<scan.value.upperBound))
    }

    private func write(
        _ member: JSONMember, _ text: PictureText?, _ replacement: ByteSlice?, to sink: inout some BodySink
    ) {
        if let replacement {
            sink.add(Self.quote)
            sink.add(replacement)
            sink.add(Self.quote)
        } else {
            sink.add(ByteSlice(text?.block ?? body, text?.value ?? member.value))
            if let text, text.missingPadding > 0 {
                sink.add([UInt8](repeating: UInt8(ascii: "="), count: text.missingPadding) + Self.quote)
            }
        }
    }

    private static let comma: [UInt8] = [UInt8(ascii: ",")]
    private static let quote: [UInt8] = [JSONText.quote]
}

/// Collects a body piece by piece.
private protocol BodySink {
    mutating func add(_ slice: ByteSlice)
    mutating func add(_ piece: [UInt8])
}

/// Copies everything into one block.
private struct BlockSink: BodySink {
    let block: Bytes

    init(capacity: Int) { block = Bytes(capacity: capacity) }

    func add(_ slice: ByteSlice) {
        // `append` checks that the bytes fit, and the slice is in another block.
        unsafe slice.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
    }

    func add(_ piece: [UInt8]) {
        // `append` checks that the bytes fit.
        unsafe piece.withUnsafeBytes { unsafe block.append(contentsOf: $0) }
    }
}

/// Keeps a list of ranges, merging adjacent ones, and copies the small pieces between them.
private struct SliceSink: BodySink {
    private(set) var slices: [ByteSlice] = []

    init() { slices.reserveCapacity(12) }

    mutating func add(_ slice: ByteSlice) {
        if slice.count == 0 { return }
        if let last = slices.last, last.bytes === slice.bytes, last.range.upperBound == slice.range.lowerBound {
            slices[slices.count - 1] = ByteSlice(last.bytes, last.range.lowerBound..<slice.range.upperBound)
        } else {
            slices.append(slice)
        }
    }

    mutating func add(_ piece: [UInt8]) {
        add(ByteSlice(Bytes(piece), 0..<piece.count))
    }
}
