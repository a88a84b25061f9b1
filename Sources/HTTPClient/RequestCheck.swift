extension HTTPClientRequest {
    /// Why the request cannot be sent as it is: something in it could break out of its place in the head. Nil if
    /// nothing could.
    var flaw: String? {
        if !url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) { return "a byte in the URL that must be encoded" }
        return nil
    }

    /// Whether a field cannot break out of its line.
    static func isValidField(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(isTokenByte) && value.utf8.allSatisfy(isValueByte)
    }

    /// Returns a header line as `curl_slist` takes it, or `nil` if the name or value could break out of the line.
    static func line(_ name: String, _ value: String) -> String? {
        guard isValidField(name, value) else { return nil }
        // libcurl reads `Name:` as "leave the field out" and `Name;` as an empty field.
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

/// RFC 9110 §5.5: visible bytes, space and tab; `obs-text` is allowed.
private func isValueByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7f || byte == 0x09 }
