internal import Base
internal import TaskStore

/// What holds for all keys of a tenant together. A tenant without rules has ``none``.
final class TenantPolicy: Sendable {
    static let none = TenantPolicy(limits: Principal.Limits(), scope: Principal.Scope(), zone: .utc)

    let limits: Principal.Limits
    let scope: Principal.Scope
    /// The zone in which the tenant's days begin.
    let zone: DayZone
    let isDisabled: Bool
    /// When the tenant's keys end, in milliseconds since 1970; nil: never.
    let expiresAt: Int64?

    init(
        limits: Principal.Limits, scope: Principal.Scope, zone: DayZone, isDisabled: Bool = false,
        expiresAt: Int64? = nil
    ) {
        (self.limits, self.scope, self.zone) = (limits, scope, zone)
        (self.isDisabled, self.expiresAt) = (isDisabled, expiresAt)
    }

    convenience init(_ rules: TenantRules) {
        self.init(
            limits: Principal.Limits(rules.access), scope: Principal.Scope(rules.access),
            zone: DayZone.named(rules.timeZone) ?? .utc, isDisabled: rules.access.isDisabled,
            expiresAt: rules.access.expiresAt)
    }
}

extension Principal.Limits {
    init(_ rules: AccessRules) {
        self.init(requestsPerMinute: rules.requestsPerMinute, concurrency: rules.concurrency)
    }
}

extension Principal.Scope {
    /// Addresses that are none were refused when the rules were made.
    init(_ rules: AccessRules) {
        self.init(models: rules.models, addresses: rules.addresses.compactMap { CIDR($0) })
    }
}
