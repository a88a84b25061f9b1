import Foundation

/// This system's C compiler, for libraries that tests preload.
public enum CCompiler {
    /// Compiles `source` to a shared library with the first compiler that can. Blocks the thread.
    /// - Throws: why none can.
    public static func makeLibrary(of source: String, at library: String) throws {
        var reasons: [String] = []
        for compiler in ["cc", "clang", "gcc"] {
            let (process, errors) = (Process(), Pipe())
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
            process.standardError = errors
            try process.run()
            let told = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            if process.terminationStatus == 0 { return }
            reasons.append("\(compiler): \(String(decoding: told, as: UTF8.self))")
        }
        throw TestKitError("the library cannot be compiled: \(reasons.joined(separator: "; "))")
    }
}
