import Testing

@testable import GatewayConfiguration

struct ModelsTests {
    private static let models = ConfigurationTests.self

    @Test func `models are names, and names that stand for models`() throws {
        let yaml = "models: [v9, {name: v10}, {name: gpt-image-1, stands_for: v9}, {name: tryon, stands_for: v10}]"
        let models = try Self.models.load(yaml).tryOnModels
        #expect(models.names.suffix(4) == ["v9", "v10", "gpt-image-1", "tryon"])
        #expect(models.model(named: "gpt-image-1") == "v9" && models.model(named: "tryon") == "v10")
        #expect(models.model(named: "v9") == "v9" && models.model(named: "v11") == nil)
        let one = try Self.models.load("models: {name: gpt-image-1, stands_for: kolors-virtual-try-on-v1-5}")
        #expect(one.tryOnModels.model(named: "gpt-image-1") == "kolors-virtual-try-on-v1-5")
        #expect(try Self.models.load("models: v9").tryOnModels.model(named: "v9") == "v9")
    }

    @Test(arguments: [
        ("[{name: a, stands_for: a}]", "models[0] (line 2): a stands for itself: set stands_for to one of kolors-"),
        (
            "[{name: a, stands_for: b}, {name: b, stands_for: v9}, v9]",
            "models[0] (line 2): stands_for: b stands for another model itself: add it to models, or use one of kolors-"
        ),
        ("[v9, {name: a, stands_for: v8}]", "models[1] (line 2): stands_for: v8 is not known: add it to models, or"),
        (
            "[{name: kolors-virtual-try-on-v1, stands_for: kolors-virtual-try-on-v1-5}]",
            "models[0] (line 2): kolors-virtual-try-on-v1 is a model's own name: use it without stands_for"
        ),
        ("[v9, {name: v9, stands_for: virtual_try_on}]", "models[1] (line 2): v9 is a model's own name"),
        (
            "[v9, {name: a, stands_for: v9}, {name: a, stands_for: virtual_try_on}]",
            "models[2] (line 2): a is already defined in models[1]: remove one"
        ),
        ("[{stands_for: virtual_try_on}]", "models[0] (line 2): name is missing"),
        ("[{name: 'a b', stands_for: virtual_try_on}]", "models[0].name (line 2): found \"a b\"; allowed: 1 to 128"),
        ("[{name: a, standsfor: virtual_try_on}]", "unknown key; did you mean stands_for?"),
        (
            "[{name: a, stands_for: virtual_try_on}]\nkeys: [{key: S3CRET-12, tenant: t, models: a}]",
            "keys[0].models (line 3): a stands for another model: name virtual_try_on here"
        ),
        (
            "[{name: a, stands_for: virtual_try_on}]\nupstreams: [{name: k, api_key: S3CRET-12, models: [v7, a]}]",
            "upstreams[0].models (line 3): a stands for another model: name virtual_try_on here"
        ),
    ])
    func `a name that stands for no model is answered with its line and the fix`(list: String, expected: String) {
        let report = Self.models.problems("# models\nmodels: \(list)")
        #expect(report.hasPrefix("1 problem ") && report.contains(expected), "\(report)")
    }
}
