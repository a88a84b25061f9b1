import TestKit
import Testing

/// Names that stand for models, for clients whose model cannot be set.
@Suite(.aFewAtATime) struct StandInModelTests {
    private static let (limited, other) = ("sk-key-for-the-model", "sk-key-for-another-model")

    private static let file = """
        models: [{ name: gpt-image-1, stands_for: kolors-virtual-try-on-v1-5 }]
        keys:
          - { key: \(limited), tenant: a, models: kolors-virtual-try-on-v1-5 }
          - { key: \(other), tenant: b, models: kolors-virtual-try-on-v1 }
        """

    @Test func `clients of every shape get the model that their name stands for`() async throws {
        try await Fixture.run(file: Self.file) { fixture in
            let gateway = fixture.gateway
            let edit = try await gateway.edit(#""model":"gpt-image-1","response_format":"url""#)
            #expect(edit.status == 200, "\(edit.text)")
            for member in ["model_name", "model"] {
                _ = try await fixture.createdTask(#""\#(member)":"gpt-image-1""#)
            }
            let job = try await gateway.ask("POST", Useapi.path, body: Useapi.body(#""model":"gpt-image-1""#))
            #expect(job.status == 201 || job.status == 200, "\(job.text)")
            // The simulated Kling refuses names that are not its own.
            try await eventually("Kling has accepted all") { fixture.kling.tasks.count == 4 }
        }
    }

    @Test func `a key's models are those that names stand for`() async throws {
        try await Fixture.run(file: Self.file) { fixture in
            for (key, status) in [(Self.limited, 200), (Self.other, 403)] {
                let create = try await fixture.create(#""model":"gpt-image-1""#, key: key)
                #expect(create.status == status, "\(create.text)")
                let models = try await fixture.gateway.ask("GET", "/v1/models", key: key)
                #expect(models.text.contains(#""gpt-image-1""#) == (status == 200), "\(models.text)")
                let model = try await fixture.gateway.ask("GET", "/v1/models/gpt-image-1", key: key)
                #expect(model.status == (status == 200 ? 200 : 404))
                #expect(status != 200 || model.json["id"] as? String == "gpt-image-1")
            }
        }
    }
}
