internal import Gateway
internal import Logging

/// The process's log: standard error, through a thread that alone waits for it.
struct LogOutput: Sendable {
    /// Writes to the log.
    let logger: Logger
    /// Writes a line for each exchange; none above `info`.
    let access: AccessLog?
    private let writer: LogWriter

    /// The log that `configuration` asks for. Once a process.
    init(_ configuration: Configuration) {
        let (level, format) = (configuration.log.level, configuration.log.format)
        let writer = LogWriter(descriptor: 2, format: format)
        logger = Logger(label: "kling-gateway") { label in
            GatewayLogHandler(label: label, writer: writer, level: level, format: format)
        }
        access = level <= .info ? AccessLog(writer: writer, format: format) : nil
        self.writer = writer
    }

    /// Lines that were dropped because standard error did not take them.
    var droppedLines: UInt64 { writer.droppedLines }

    /// Writes what waits, within a second.
    func close() {
        access?.finish()
        writer.flush(within: .seconds(1))
    }
}
