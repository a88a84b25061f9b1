public import Base

/// Which addresses a request may connect to.
///
/// It is the address that is judged, at the moment of connecting and again before a request goes out on a reused
/// connection: a name that changes its address in between gains nothing. Through a proxy it is the proxy's address.
public struct AddressPolicy: Sendable, Hashable {
    /// Every address: for hosts that the operator has named.
    public static let any = AddressPolicy(isPublicOnly: false, allowed: [])

    /// Addresses of the public internet, and those in `allowed`: for hosts that a client has named.
    public static func publicInternet(allowing allowed: [CIDR] = []) -> AddressPolicy {
        AddressPolicy(isPublicOnly: true, allowed: allowed)
    }

    let isPublicOnly: Bool
    let allowed: [CIDR]

    /// Whether `address` may be connected to.
    public func permits(_ address: IPAddress) -> Bool {
        !isPublicOnly || address.isPublic || allowed.contains { $0.contains(address) }
    }

    /// Why a URL can never be requested under this policy, as far as that shows without looking a name up.
    public enum Refusal: String, Sendable, CaseIterable {
        /// Not an absolute URL with a host.
        case malformed
        /// Neither `http` nor `https`.
        case scheme
        /// A user name or password in front of the host.
        case userInfo
        /// A fragment behind the path.
        case fragment
        /// A literal address (in any spelling) that the policy forbids.
        case address
    }
}
