/// What a scanner keeps, and where it ends.
struct JSONScanRules {
    /// Whether the elements of an outermost array are kept.
    var keepsElements = false
    /// The name of the outermost object's member whose own members are kept, too.
    var openedName: StaticString?
    /// How many levels there may be.
    var levels = JSONScanner.maxDepth
    /// Whether the text ends with the value, so that something else may follow.
    var endsWithValue = false
}
