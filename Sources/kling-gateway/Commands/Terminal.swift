internal import ArgumentParser
internal import Foundation

/// Writes a line to standard error.
func printError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// Writes a line to standard output without the buffering that a pipe gets.
func printNow(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

/// Prints `message` to standard error, and returns the exit code for the command to throw.
func fail(_ message: String) -> ExitCode {
    printError("error: \(message)")
    return .failure
}
