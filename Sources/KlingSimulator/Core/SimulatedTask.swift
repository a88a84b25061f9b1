public import KlingAPI

/// A task of the simulated platform. Its state is a function of time.
public struct SimulatedTask: Sendable, Hashable {
    /// The platform's id: 18 digits.
    public let id: String
    /// The id that its creator gave.
    public internal(set) var externalTaskID: String?
    /// The name of the account that it belongs to.
    public let account: String
    /// The URL that its callbacks are posted to.
    public let callbackURL: String?
    /// The API that created it, and the only one that finds it.
    public let dialect: SimulatedDialect
    /// The URLs of the person's and the garment's picture, if they were given as URLs.
    public let personURL, garmentURL: String?
    /// The settings in its create, if it was made through the newer API.
    public let settings: SolutionSettings?
    /// Whether it also has a watermarked picture.
    public let hasWatermark: Bool
    /// The type of its output, if it isn't a virtual try-on: see ``ForeignTask``.
    var foreignType: String?
    /// How it ends: ``KlingAPI/TaskStatus/succeed`` or ``KlingAPI/TaskStatus/failed``.
    public let outcome: TaskStatus
    /// Why it fails, if it does.
    public let failure: String?
    /// The length that its picture's URL is padded to, in bytes; 0 for no padding.
    var urlBytes = 0
    /// When it is created, starts processing, and ends, in milliseconds since 1970.
    public let createdAt, processingAt, endsAt: Int
    /// How many creates named its external id: the one that made it, and those refused as duplicates.
    public internal(set) var creates = 1
    /// How many queries found it.
    public internal(set) var queries = 0

    /// Its state at `now`.
    public func status(at now: Int) -> TaskStatus {
        if now >= endsAt { return outcome }
        return now >= processingAt ? .processing : .submitted
    }

    /// The task at `now`, as the older API shows it.
    /// - Parameter base: the prefix of picture URLs.
    func fields(at now: Int, base: String) -> TaskFields {
        let status = status(at: now)
        var fields = TaskFields(
            taskID: id, status: status, createdAt: createdAt, updatedAt: updatedAt(status),
            externalTaskID: externalTaskID)
        guard status.isFinal else { return fields }
        fields.statusMessage = failure ?? ""
        // A failed task costs nothing.
        fields.finalUnitDeduction = outcome == .succeed ? "1" : "0"
        if outcome == .succeed { fields.images = [TaskImage(index: 0, url: pictureURL(base))] }
        return fields
    }

    func pictureURL(_ base: String) -> String {
        let url = "\(base)/results/\(id)/0.png"
        guard urlBytes > url.utf8.count else { return url }
        return url + "?" + String(repeating: "K", count: urlBytes - url.utf8.count - 1)
    }

    func updatedAt(_ status: TaskStatus) -> Int {
        switch status {
        case .submitted: createdAt
        case .processing: processingAt
        default: endsAt
        }
    }
}
