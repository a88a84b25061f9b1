/// A broken promise.
struct Violation: Sendable, Hashable {
    /// Which promise it is. The text says what happened.
    enum Kind: String, Sendable, CaseIterable {
        case madeTwice = "one create made several tasks at Kling"
        case idReused = "one of the gateway's ids went to Kling for two tasks"
        case sentAgain = "a create went again to an account that may make it twice"
        case merged = "two equal creates that were both answered became one task"
        case chargedButDenied = "of a task at Kling it was said that nothing was charged"
        case doubtedWrongly = "a clear refusal was told as a create that may have been made"
        case lost = "a task at Kling is not in the store"
        case unresolved = "a task at Kling is still open in the store: nobody has looked"
        case storeDisagrees = "the store and Kling do not say the same"
        case acceptedNotMade = "a create was accepted, and nothing was made of it"
        case madeFromHalf = "a request that never arrived as a whole made a task"
        case refusedWrongly = "a sound create was refused for good"
        case retryInvited = "an answer invites to pay twice"
        case forgotten = "a task that a client was told of is unknown"
        case notListed = "a task that a client was told of is not in its list"
        case idChanged = "a task has shown two ids"
        case wentBack = "a state went back"
        case wrongState = "a client is shown another state than Kling's"
        case shownToAnother = "a task was shown to somebody else"
        case strangersPicture = "a client was shown the picture of another task"
        case queryFailed = "a query or a list was answered with an error"
        case callbackMissing = "the final callback never came"
        case callbackDisorder = "callbacks came out of order"
        case callbackRepeated = "one event came under two ids"
        case callbackForged = "a callback is not signed with the tenant's secret"
        case callbackEarly = "a callback came before its create was answered"
        case callbackWrong = "a callback says what is not so"
        case overran = "the run took longer than it may"
    }

    let kind: Kind
    /// The create that is affected.
    var create: Int?
    /// What was found.
    let explanation: String

    /// Whether waiting may cure it: the gateway may still find out, or tell.
    var maySettle: Bool {
        [.lost, .unresolved, .storeDisagrees, .acceptedNotMade, .callbackMissing].contains(kind)
    }
}
