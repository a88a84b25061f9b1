/// Why a URL can never be called.
public enum AddressRefusal: Sendable, CaseIterable {
    case malformed, scheme, userInformation, fragment, address
}
