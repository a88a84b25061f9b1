internal import KlingAPI

/// Changes other than faults.
extension SimulatedPlatform {
    /// Changes which APIs an account has, until ``reset()``.
    /// - Parameter account: its name; nil for all.
    /// - Returns: whether there is an account of that name.
    @discardableResult
    public mutating func set(_ api: SimulatedAPI, account: String? = nil) -> Bool {
        access.set(api, account: account)
    }

    /// Adds a task of another solution to an account.
    /// - Parameter now: in milliseconds since 1970.
    /// - Returns: its id; nil if there is no such account, or one of the task's ids is taken.
    public mutating func add(_ task: ForeignTask, account: String, now: Int) -> String? {
        try? add(task, to: account, now)
    }

    /// Sends the test callback of Kling's console, which is about a task that does not exist.
    /// - Parameters:
    ///   - url: the URL to send it to.
    ///   - now: in milliseconds since 1970.
    /// - Returns: whether `url` is an `http` or `https` URL.
    @discardableResult
    public mutating func sendTestCallback(to url: String, now: Int) -> Bool {
        guard CreateRequest.isURL(url.utf8) else { return false }
        outbox.append(SimulatedCallback(testing: url, taskID: kling.unusedID(), now: now))
        return true
    }

    /// Makes a change requested through the control API.
    mutating func make(_ change: ControlChange, _ now: Int) throws(SimulatedRefusal) -> [UInt8] {
        switch change {
        case .api(let api, let account):
            guard set(api, account: account) else { throw SimulatedRefusal(.notFound, "no such account") }
            return access.json
        case .foreignTask(let task, let account):
            let id = try add(task, to: account, now)
            return JSONWriter.object { $0.member("id", id) }
        case .testCallback(let url):
            guard sendTestCallback(to: url, now: now) else { throw .parameter("url is invalid") }
            return Array("{}".utf8)
        }
    }

    private mutating func add(
        _ task: ForeignTask, to account: String, _ now: Int
    ) throws(SimulatedRefusal) -> String {
        guard let number = configuration.accounts.firstIndex(where: { $0.name == account }) else {
            throw SimulatedRefusal(.notFound, "no such account")
        }
        return try kling.add(task, account: number, now: now).id
    }
}
