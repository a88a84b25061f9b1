/// Classes of ASCII bytes, such as digits and letters.
package enum ASCII {
    package static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    package static func isLowercase(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    package static func isUppercase(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    package static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || isLowercase(byte) || isUppercase(byte)
    }
    package static func isVisible(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
}
