public import KlingAPI

/// A task of the simulated platform. Its state is a function of time.
public struct SimulatedTask: Sendable, Hashable {
    /// The platform's id: 18 digits.
    public let id: String
    /// The id that its creator gave.
    public internal(set) var externalTaskID: String?
    /// The name of the account that it belongs to.
    public let account: String
    /// Where its creator wants to be called.
    public let callbackURL: String?
    /// The interface that it was made by, and that alone knows it.
    public let dialect: SimulatedDialect
    /// The person's and the garment's picture, if given by their URLs.
    public let personURL, garmentURL: String?
    /// What its creator wishes for, if it was made by the new interface.
    public let settings: SolutionSettings?
    /// Whether it has a picture with a watermark as well.
    public let hasWatermark: Bool
    /// What it puts out, if it is no virtual try-on: see ``ForeignTask``.
    var foreignType: String?
    /// How it ends: ``KlingAPI/TaskStatus/succeed`` or ``KlingAPI/TaskStatus/failed``.
    public let outcome: TaskStatus
    /// Why it fails, if it does.
    public let failure: String?
    /// How long its picture's URL is made, in bytes; 0 for as long as it is.
    var urlBytes = 0
    /// When it was made, begins to be processed, and ends, in milliseconds since 1970.
    public let createdAt, processingAt, endsAt: Int
    /// How many creates named its external id: the one that made it, and those that were refused for it.
    public internal(set) var creates = 1
    /// How many queries named it.
    public internal(set) var queries = 0

    /// Its state at `now`.
    public func status(at now: Int) -> TaskStatus {
        if now >= endsAt { return outcome }
        return now >= processingAt ? .processing : .submitted
    }

    /// What is said about it at `now`.
    /// - Parameter base: what a picture's URL begins with.
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
