internal import ArgumentParser
internal import Foundation

/// Writes a line to standard error.
func printError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// Writes a line to standard output, past the buffer that a pipe gets.
func printNow(_ text: String) {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
}

/// Ends the command with `message` on standard error.
func fail(_ message: String) -> ExitCode {
    printError("error: \(message)")
    return .failure
}
