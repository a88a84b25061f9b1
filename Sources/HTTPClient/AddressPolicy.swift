public import Base

/// Which addresses a request may connect to.
///
/// The policy checks the address itself, when connecting and again before a request is sent on a reused connection: a
/// name that changes its address in between gains nothing. With a proxy, it checks the proxy's address.
public struct AddressPolicy: Sendable, Hashable {
    /// Permits every address: for hosts that the operator configured.
    public static let any = AddressPolicy(isPublicOnly: false, allowed: [])

    /// Permits addresses of the public internet, and those in `allowed`: for hosts that a client named.
    public static func publicInternet(allowing allowed: [CIDR] = []) -> AddressPolicy {
        AddressPolicy(isPublicOnly: true, allowed: allowed)
    }

    let isPublicOnly: Bool
    let allowed: [CIDR]

    /// Whether a request may connect to `address`.
    public func permits(_ address: IPAddress) -> Bool {
        !isPublicOnly || address.isPublic || allowed.contains { $0.contains(address) }
    }

    /// Why a URL can never be requested under this policy, if that is clear without a name look-up.
    public enum Refusal: String, Sendable, CaseIterable {
        /// Not an absolute URL with a host.
        case malformed
        /// Neither `http` nor `https`.
        case scheme
        /// A user name or password before the host.
        case userInfo
        /// A fragment after the path.
        case fragment
        /// A literal address (in any spelling) that the policy forbids.
        case address
    }
}
