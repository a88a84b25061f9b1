import Foundation

/// This system's C compiler, for libraries that tests preload and for small programs.
public enum CCompiler {
    /// Compiles C files to a shared library with the first compiler that can. Blocks the thread.
    /// - Throws: why none can.
    public static func makeLibrary(of sources: [String], at library: String) throws {
        try run(["-shared", "-fPIC", "-o", library] + sources + ["-ldl"])
    }

    /// Compiles C files to a program with the first compiler that can. Blocks the thread.
    /// - Throws: why none can.
    public static func makeProgram(of sources: [String], at program: String) throws {
        try run(["-o", program] + sources)
    }

    private static func run(_ arguments: [String]) throws {
        var reasons: [String] = []
        for compiler in ["cc", "clang", "gcc"] {
            let (process, errors) = (Process(), Pipe())
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [compiler, "-O1"] + arguments
            process.standardError = errors
            try process.run()
            let messages = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            if process.terminationStatus == 0 { return }
            reasons.append("\(compiler): \(String(decoding: messages, as: UTF8.self))")
        }
        throw TestKitError("C cannot be compiled: \(reasons.joined(separator: "; "))")
    }
}
