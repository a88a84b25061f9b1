/// Whose running tasks are counted.
enum RunningOwner: Hashable {
    case account(String)
    case key(String, tenant: String)
    case tenant(String)

    var lock: StoreLock {
        switch self {
        case .account(let name): .account(name)
        case .key(_, let tenant), .tenant(let tenant): .tenant(tenant)
        }
    }

    var query: Query {
        switch self {
        case .account: .runningOfAccount
        case .key: .runningOfKey
        case .tenant: .runningOfTenant
        }
    }

    /// The account or the tenant.
    var name: String {
        switch self {
        case .account(let name): name
        case .key(_, let tenant), .tenant(let tenant): tenant
        }
    }
}

/// What the tasks of other processes rule out: a task with the same content, and more running tasks than a limit allows.
extension PostgresConnection {
    func checkRivals(of task: NewTask) throws(StoreError) {
        guard transaction.repeated.contains(task.id) else { return }
        throw StoreError(.sentElsewhere, "another gateway has made a task with the content of \(task.id)")
    }

    func admit(_ task: NewTask) throws(StoreError) {
        guard let limits = task.shared.limits else { return }
        if let limit = limits.key, let key = task.keyID {
            try count(.key(key, tenant: task.tenant), upTo: limit, since: limits.since, else: .keyFull)
        }
        if let limit = limits.tenant {
            try count(.tenant(task.tenant), upTo: limit, since: limits.since, else: .tenantFull)
        }
        if let account = task.assignment?.account { try admit(to: account, limits) }
    }

    func admit(to account: String, _ limits: SharedLimits) throws(StoreError) {
        guard let limit = limits.account else { return }
        try count(.account(account), upTo: limit, since: limits.since, else: .accountFull)
    }
}
