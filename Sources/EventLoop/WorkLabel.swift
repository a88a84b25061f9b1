/// What the current work is for, to be shown in logs: a value that everything which the work calls can read.
///
/// The tasks that ``EventLoop/spawn(_:)`` starts have the label of the work that starts them. Otherwise a label is like
/// a task-local value, but costs a fraction of it: the tasks of a pool bind a slot for labels once, not for each work.
public enum WorkLabel {
    /// Where a task finds its label.
    final class Slot: @unchecked Sendable {
        // @unchecked: only the task that the slot is bound in accesses it.
        var label: (any Sendable)?

        init(_ label: (any Sendable)? = nil) { self.label = label }
    }

    @TaskLocal static var slot: Slot?

    /// The label of the current work; nil if it has none.
    public static var current: (any Sendable)? { slot?.label }

    /// Labels the current work until its end. Only work that ``EventLoop/start(_:)`` has started can be labelled.
    public static func set(_ label: some Sendable) { slot?.label = label }
}
