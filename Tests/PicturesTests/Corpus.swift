import Base
import Foundation
import TestKit
import Testing

@testable import Pictures

/// Valid pictures of odd kinds, which `Tests/Clients/odd_pictures.py` makes with Pillow.
struct Corpus: Sendable {
    struct Picture: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        /// Width and height, as a browser shows it.
        let size: [Int]
        /// Red, green and blue in the middle of each quarter, as a browser shows it.
        let colors: [[Int]]
        /// Whether Kling can be sent it as it is.
        let isAcceptedByKling: Bool

        private enum CodingKeys: String, CodingKey {
            case name, size, colors
            case isAcceptedByKling = "fine"
        }

        fileprivate var isSampling: Bool { name.hasPrefix("sampling-") }

        var testDescription: String { name }
    }

    let pictures: [Picture]
    /// JPEG files with each sampling of the components; none without cjpeg.
    let samplings: [Picture]
    private let files: [String: [UInt8]]

    func file(_ picture: Picture) throws -> ByteSlice { ByteSlice(try #require(files[picture.name])) }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    private static let folder = root.appending(path: "Tests/Clients")

    /// Whether the virtual environment has what the script requires.
    static var hasPython: Bool {
        let files = FileManager.default
        guard let wanted = files.contents(atPath: folder.appending(path: "requirements.txt").path) else { return false }
        return files.contents(atPath: root.appending(path: ".venv/installed.txt").path) == wanted
    }

    /// Whether the script can make the files of ``samplings``.
    static var hasCJPEG: Bool {
        ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/cjpeg")
        }
    }

    static func make() async throws -> Corpus {
        let folder = try TemporaryFolder()
        let python = root.appending(path: ".venv/bin/python").path
        let script = Self.folder.appending(path: "odd_pictures.py").path
        let outcome = try await Program(python, [script, folder.url.path], environment: [:]).end()
        try #require(outcome.status == 0, "\(outcome.errors)")
        func contents(_ name: String) throws -> Data {
            try Data(contentsOf: folder.url.appending(path: name))
        }
        let pictures = try JSONDecoder().decode([Picture].self, from: contents("index.json"))
        let files = try pictures.map { ($0.name, [UInt8](try contents($0.name))) }
        return Corpus(
            pictures: pictures.filter { !$0.isSampling }, samplings: pictures.filter(\.isSampling),
            files: Dictionary(uniqueKeysWithValues: files))
    }
}
