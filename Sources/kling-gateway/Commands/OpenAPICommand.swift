internal import ArgumentParser
internal import Gateway
internal import KlingAPI

/// Prints the OpenAPI document, for tools that generate clients.
struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi",
        abstract: "Print the OpenAPI 3.1 document. A running gateway has its own, with its models, at /openapi.json.")

    func run() {
        print(String(decoding: OpenAPIDocument.json(models: .documented, version: Version.number), as: UTF8.self))
    }
}
