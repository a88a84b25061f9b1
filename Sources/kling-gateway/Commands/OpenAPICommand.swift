internal import ArgumentParser
internal import Gateway
internal import KlingAPI

/// Prints the OpenAPI documents, for tools that generate clients.
struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi",
        abstract: "Print the OpenAPI 3.1 document. A running gateway has its own, with its models, at /openapi.json.")

    @Flag(help: "Print the document of the operators' listener instead of the clients'.") var admin = false

    func run() {
        let document =
            admin
            ? AdminDocument.json(version: Version.number)
            : OpenAPIDocument.json(models: .documented, version: Version.number)
        print(String(decoding: document, as: UTF8.self))
    }
}
