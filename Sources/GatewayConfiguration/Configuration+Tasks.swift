extension Configuration {
    /// How tasks are made and queried.
    public struct Tasks: Sendable {
        /// How long a create waits for a free account before it is queued.
        public internal(set) var dispatchWait = Duration.seconds(1)
        /// The queue of creates that wait for an account; `nil`: off.
        public internal(set) var queue: Queue? = Queue()
        /// Kling is asked for an unfinished task's state at most once in this time.
        public internal(set) var freshness = Duration.seconds(1)
        /// How long a create with the same content gets the answer of an earlier one that was not read; 0: never.
        public internal(set) var resendWindow = Duration.seconds(600)
        /// How long a request of the OpenAI-shaped routes waits for its picture.
        public internal(set) var openAIWait = Duration.seconds(300)
    }

    /// Creates that wait for an account.
    public struct Queue: Sendable {
        /// The maximum number of tasks.
        public internal(set) var tasks = 1000
        /// The maximum number of payload bytes.
        public internal(set) var bytes = 2 << 30
        /// The longest wait; a task that waits longer fails.
        public internal(set) var maxAge = Duration.seconds(30 * 60)
    }
}
