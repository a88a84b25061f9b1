internal import Base
public import GatewayConfiguration
public import Logging

/// Writes swift-log's events as lines of JSON or text, through a ``LogWriter``.
public struct GatewayLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let writer: LogWriter

    /// Creates a handler to pass to `LoggingSystem.bootstrap`.
    public init(label: String, writer: LogWriter, level: Logger.Level, format: LogFormat) {
        self.label = label
        self.writer = writer
        logLevel = level
        self.format = format
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = LogLine(
            format, level: event.level.rawValue, message: event.message.description, label: label,
            milliseconds: WallClock.milliseconds)
        var pairs = metadata
        if let provided = metadataProvider?.get() { pairs.merge(provided) { $1 } }
        if let own = event.metadata { pairs.merge(own) { $1 } }
        if let error = event.error { pairs["error"] = "\(error)" }
        // A key that every JSON line already has gets an underscore, so that it isn't written twice.
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            let isTaken = ["time", "level", "logger", "message"].contains(key)
            line.add(isTaken ? "_" + key : key, value.description)
        }
        writer.write(line.finish())
    }
}
