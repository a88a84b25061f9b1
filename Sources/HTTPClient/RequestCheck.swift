extension HTTPClientRequest {
    /// What makes the request impossible to send as it is: something that could break out of its place in the head.
    var flaw: String? {
        if !url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) { return "a byte in the URL that must be encoded" }
        return nil
    }

    /// A header line as `curl_slist` takes it, or `nil` if name or value could break out of the line.
    static func line(_ name: String, _ value: String) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte), value.utf8.allSatisfy(isValueByte) else { return nil }
        // libcurl takes `Name:` as "leave the field out" and `Name;` as an empty field.
        return value.isEmpty ? "\(name);" : "\(name): \(value)"
    }
}

/// RFC 9110 §5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}

/// RFC 9110 §5.5: visible bytes, space and tab; `obs-text` passes.
private func isValueByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7f || byte == 0x09 }
