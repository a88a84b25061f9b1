import Base
import Foundation

/// A program that a test runs: the built gateway, or a client.
public final class Program: @unchecked Sendable {
    // @unchecked: `Process` is started before the object is shared; after that it is only queried and signaled. What
    // the readers gather is protected by `lock`.

    /// What a program leaves when it ends.
    public struct Outcome: Sendable {
        public let status: Int32
        public let output: String
        public let errors: String
    }

    private let process = Process()
    private let lock = NSCondition()
    private var output = Data()
    private var errors = Data()
    private var openPipes = 2
    private var hasEnded = false

    /// The folder with the built products.
    public static let products = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// Starts the built gateway with `arguments`, through `launcher` if there is one.
    public static func gateway(
        _ arguments: [String], launcher: [String] = [], environment: [String: String]
    ) throws -> Program {
        let command = launcher + [products.appending(path: "kling-gateway").path] + arguments
        return try Program(command[0], Array(command.dropFirst()), environment: environment)
    }

    /// Starts `path`, or the program of that name on the PATH.
    /// - Parameter input: what the program reads from its standard input; nothing by default.
    public init(
        _ path: String, _ arguments: [String] = [], environment: [String: String]? = nil,
        input: FileHandle = .nullDevice
    ) throws {
        let isName = !path.contains("/")
        process.executableURL = URL(filePath: isName ? "/usr/bin/env" : path)
        process.arguments = (isName ? [path] : []) + arguments
        if let environment {
            process.environment = environment.merging(["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]) {
                own, _ in own
            }
        }
        process.standardInput = input
        process.terminationHandler = { [weak self] _ in self?.change { $0.hasEnded = true } }
        try Self.starting.withLock { _ in
            gather(\.output, from: Pipe(), as: \.standardOutput)
            gather(\.errors, from: Pipe(), as: \.standardError)
            try process.run()
        }
    }

    /// One program starts at a time. Otherwise a server that starts at the same moment inherits the pipes, and the socket
    /// by which `Process` notices the end, so that a program's end is noticed only with that of the server.
    private static let starting = Lock(())

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    public var identifier: Int32 { process.processIdentifier }

    /// What has been written to standard error so far.
    public var errorText: String { lock.withLock { String(decoding: errors, as: UTF8.self) } }

    /// Sends a signal.
    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for a line on standard error for which `match` returns a value.
    public func errorLine<Found: Sendable>(
        within seconds: Double = 60, _ match: @escaping @Sendable (Substring) -> Found?
    ) async throws -> Found {
        try await blocking { [self] in
            try wait(within: seconds, "a line on standard error", hasToRun: true) {
                String(decoding: errors, as: UTF8.self).split(separator: "\n").lazy.compactMap(match).first
            }
        }
    }

    /// Waits for a line on standard output for which `match` returns a value.
    public func outputLine<Found: Sendable>(
        within seconds: Double = 60, _ match: @escaping @Sendable (Substring) -> Found?
    ) async throws -> Found {
        try await blocking { [self] in
            try wait(within: seconds, "a line on standard output", hasToRun: true) {
                String(decoding: output, as: UTF8.self).split(separator: "\n").lazy.compactMap(match).first
            }
        }
    }

    /// Waits for the program to end.
    public func end(within seconds: Double = 60) async throws -> Outcome {
        try await blocking { [self] in try waitForEnd(within: seconds) }
    }

    /// Waits for the program to end. Blocks the thread.
    @discardableResult
    public func waitForEnd(within seconds: Double = 60) throws -> Outcome {
        try wait(within: seconds, "the end of the program") { hasEnded ? true : nil }
        // A child of the program may have inherited the pipes, so their end is awaited only briefly.
        _ = try? wait(within: 1, "the end of the pipes") { openPipes == 0 ? true : nil }
        return Outcome(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }

    /// - Parameter hasToRun: whether what is waited for cannot come after both pipes have ended.
    @discardableResult
    private func wait<Found>(
        within seconds: Double, _ what: String, hasToRun: Bool = false, _ found: () -> Found?
    ) throws -> Found {
        let deadline = Date(timeIntervalSinceNow: seconds)
        lock.lock()
        defer { lock.unlock() }
        while true {
            if let found = found() { return found }
            let hasEnded = hasToRun && openPipes == 0
            if hasEnded || !lock.wait(until: deadline) {
                let reason = hasEnded ? "before the program ended" : "within \(seconds) s"
                throw TestKitError(
                    "\(what) did not come \(reason); stderr:\n\(String(decoding: errors, as: UTF8.self))")
            }
        }
    }

    private func gather(
        _ part: ReferenceWritableKeyPath<Program, Data>, from pipe: Pipe,
        as end: ReferenceWritableKeyPath<Process, Any?>
    ) {
        process[keyPath: end] = pipe
        nonisolated(unsafe) let part = part
        // A thread of its own, because on Linux `readabilityHandler` sometimes stops before the end and output is lost.
        Thread.detachNewThread { [weak self] in
            let descriptor = pipe.fileHandleForReading.fileDescriptor
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                self?.change { $0[keyPath: part].append(contentsOf: buffer[..<count]) }
            }
            self?.change { $0.openPipes -= 1 }
        }
    }

    private func change(_ body: (Program) -> Void) {
        lock.lock()
        body(self)
        lock.broadcast()
        lock.unlock()
    }
}
