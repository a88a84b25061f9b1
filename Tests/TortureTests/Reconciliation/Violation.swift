/// A broken promise.
struct Violation: Sendable, Hashable {
    /// Which promise it is. The text says what happened.
    enum Kind: String, Sendable, CaseIterable {
        case madeTwice = "one create made several tasks at Kling"
        case idReused = "one of the gateway's ids went to Kling for two tasks"
        case sentAgain = "a create went again to an account that may make it twice"
        case merged = "two equal creates that were both answered became one task"
        case chargedButDenied = "a message says that nothing was charged, but the task is at Kling"
        case doubtedWrongly = "a clear refusal was reported as a create that may have been made"
        case lost = "a task at Kling is not in the store"
        case unresolved = "a task at Kling is still open in the store: it was not looked up"
        case storeDamaged = "the store's file is damaged"
        case storeDisagrees = "the store and Kling disagree"
        case acceptedNotMade = "a create was accepted, but no task was made"
        case madeFromHalf = "a request that never arrived as a whole made a task"
        case refusedWrongly = "a valid create was permanently refused"
        case retryInvited = "an answer invites a retry that would be paid for twice"
        case forgotten = "a task that a client was told of is unknown"
        case notListed = "a task that a client was told of is not in its list"
        case idChanged = "a task has shown two ids"
        case wentBack = "a state went backwards"
        case wrongState = "a client is shown a state that differs from Kling's"
        case shownToAnother = "a task was shown to another tenant"
        case strangersPicture = "a client was shown the picture of another task"
        case queryFailed = "a query or a list was answered with an error"
        case callbackMissing = "the final callback never came"
        case callbackDisorder = "callbacks came out of order"
        case callbackRepeated = "one event was delivered under two ids"
        case callbackForged = "a callback is not signed with the tenant's secret"
        case callbackEarly = "a callback came before its create was answered"
        case callbackWrong = "a callback has wrong content"
        case usageWrong = "what a tenant has used differs from its tasks"
        case budgetPassed = "a tenant has more tasks at Kling than its budget allows"
        case budgetRefusedWrongly = "a create was refused for a budget that was not spent"
        case overran = "the run took too long"
        case noFailover = "the failover that the run was asked for did not happen"
    }

    let kind: Kind
    /// The create that is affected.
    var create: Int?
    /// What was found.
    let explanation: String

    /// Whether waiting may resolve it: the gateway may still find out the outcome, or report it.
    var maySettle: Bool {
        [.lost, .unresolved, .storeDisagrees, .acceptedNotMade, .callbackMissing, .usageWrong].contains(kind)
    }
}
