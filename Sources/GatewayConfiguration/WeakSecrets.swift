internal import Base

/// Why a key or token that others could guess is refused.
enum WeakSecret {
    /// The least number of characters.
    private static let least = 20

    /// The keys and tokens that stand in this project's own documentation and examples.
    static let documented: Set<String> = [
        "sk-choose-a-long-random-text", "choose-a-long-random-text",
    ]

    /// What is wrong with a secret and how to make a better one; nil if nothing is.
    static func problem(of secret: Secret, prefix: String) -> String? {
        let text = secret.reveal()
        let fault: String
        if documented.contains(text) {
            fault = "this is an example from the documentation, which everybody knows"
        } else if text.utf8.count < least {
            fault = "this has \(text.utf8.count) characters, which can be guessed; allowed: at least \(least)"
        } else {
            return nil
        }
        return fault + ". Make one with: echo \"\(prefix)$(openssl rand -hex 24)\" (or pass --allow-weak-keys)"
    }
}

extension Configuration {
    /// Reports the keys of clients and the operators' token if they could be guessed.
    func reportWeakSecrets(_ root: ConfigurationNode, _ reader: inout ConfigurationReader) {
        var nodes: [ConfigurationNode] = []
        if case .list(let elements) = root["keys"]?.content { nodes = elements }
        for (key, (index, node)) in zip(keys, nodes.enumerated()) {
            guard let problem = WeakSecret.problem(of: key.key, prefix: "sk-") else { continue }
            let place = ConfigurationPlace(path: "keys").element(index, node)
            reader.report(node["key"].map { place.key("key", $0) } ?? place, problem)
        }
        if let token = admin.token, let problem = WeakSecret.problem(of: token, prefix: "") {
            let node = root["admin"]?["token"] ?? root
            reader.report(ConfigurationPlace(path: "admin").key("token", node), problem)
        }
    }
}
