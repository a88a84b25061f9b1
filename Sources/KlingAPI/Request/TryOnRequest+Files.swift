public import Base

extension TryOnRequest {
    /// The URL of a picture, if it contains `path`. Other URLs are not copied to a string, unless they contain escapes.
    public func pictureURL(_ field: PictureField, with path: StaticString) -> String? {
        guard (field == .human ? human : cloth) == .url, let index = indexes.index(of: field) else { return nil }
        if let link = (field == .human ? humanText : clothText)?.link { return link.contains("\(path)") ? link : nil }
        let member = scan.members[index]
        // Longer URLs are not worth searching.
        guard member.content.count <= TryOn.maxCallbackURLBytes else { return nil }
        return body.withByteSpan { bytes in
            guard member.valueHasEscapes || bytes.extracting(member.content).contains(path) else { return nil }
            let text = JSONString.text(bytes, member.content)
            return text.contains("\(path)") ? text : nil
        }
    }

    /// Returns the same create with a file in place of the picture that the client sent.
    ///
    /// The file is encoded as base64 in slices, so that other tasks of the executor can run in between.
    /// - Parameter owner: kept alive until the base64 is released; for example, a memory reservation.
    /// - Throws: what is wrong with the file.
    public func replacing(
        _ field: PictureField, with file: ByteSlice, keeping owner: (any Sendable)? = nil
    ) async throws(ParameterError) -> TryOnRequest {
        let header: ImageHeader
        do {
            header = try ImageHeader.check(file: file)
        } catch {
            throw .value(field.rawValue, error.description)
        }
        let room = Base64.textCount(of: file.count) + 2
        guard let block = Bytes(reserving: room, onRelease: { _ = owner }) else { throw .noMemory }
        block.append(CollectionOfOne(JSONText.quote))
        try await TryOnParts.Picture.file(file).write(to: block, field)
        block.append(CollectionOfOne(JSONText.quote))
        let text = PictureText(
            block: block, value: 0..<block.count,
            file: PictureFile(start: 1, count: file.count, isBase64: true))
        return replacing(field, with: (.base64(header, bytes: file.count), text))
    }
}
