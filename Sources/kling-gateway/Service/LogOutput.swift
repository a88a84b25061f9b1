internal import Gateway
internal import GatewayConfiguration
internal import Glibc
internal import Logging

/// The process's log: standard error, written by its own thread, so that nothing else waits for it.
struct LogOutput: Sendable {
    /// Writes to the log.
    let logger: Logger
    /// Writes a line for each exchange; nil if the log's level is above `info`.
    let access: AccessLog?
    private let writer: LogWriter

    /// Makes the log that `configuration` asks for. Call it once per process.
    init(_ configuration: Configuration) {
        let level = configuration.log.level
        let format = configuration.log.format ?? (isatty(STDERR_FILENO) == 1 ? .text : .json)
        let writer = LogWriter(descriptor: STDERR_FILENO, format: format)
        logger = Logger(label: "kling-gateway") { label in
            GatewayLogHandler(label: label, writer: writer, level: level, format: format)
        }
        access = level <= .info ? AccessLog(writer: writer, format: format) : nil
        self.writer = writer
    }

    /// How many lines were dropped because standard error did not take them.
    var droppedLines: UInt64 { writer.droppedLines }

    /// Writes the waiting lines, for at most a second.
    func close() {
        access?.finish()
        writer.flush(within: .seconds(1))
    }
}
