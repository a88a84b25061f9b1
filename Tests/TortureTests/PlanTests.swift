import Testing

/// The plan of a run follows from its seed.
struct PlanTests {
    private func options(seed: UInt64, without: String = "") throws -> TortureOptions {
        try TortureOptions([
            "TORTURE_SEED": "\(seed)", "TORTURE_KILLS": "40", "TORTURE_CREATES": "500", "TORTURE_WITHOUT": without,
        ])
    }

    /// All that is chosen, as text.
    private func choices(_ options: TortureOptions) -> String {
        var weather = WeatherPlan(options)
        let spells = (0..<50).map { _ in "\(weather.next())" }
        let creates = (1...options.creates).map { "\(CreatePlan($0, options, tenants: ["a", "b"]))" }
        let reactions = (0..<50).map { "\(ReceiverPlan(options).reaction(create: $0, arrival: 0))" }
        return (spells + creates + reactions + ["\(KillPlan(options))"]).joined(separator: "\n")
    }

    @Test func `the same seed makes the same choices, another makes others`() throws {
        #expect(try choices(options(seed: 1)) == choices(options(seed: 1)))
        #expect(try choices(options(seed: 1)) != choices(options(seed: 2)))
    }

    @Test func `kills are spread over the creates`() throws {
        let kills = KillPlan(try options(seed: 3)).kills
        #expect(kills.count == 40)
        #expect(kills.map(\.afterCreates) == kills.map(\.afterCreates).sorted())
        #expect(kills.allSatisfy { (1...500).contains($0.afterCreates) })
        #expect(Set(kills.map(\.afterCreates)).count > 30)
        #expect(kills.contains(where: \.isInStart) && kills.first?.isInStart == false)
    }

    @Test func `a create is recognized by its picture, whatever else it asks for`() throws {
        let options = try options(seed: 4)
        let plans = (1...500).map { CreatePlan($0, options, tenants: ["a", "b", "c"]) }
        for plan in plans {
            #expect(CreatePlan.number(ofPicture: CreatePlan.picture(of: plan.number)) == plan.number)
            #expect(plan.body(callbackURL: "http://a").contains(CreatePlan.picture(of: plan.number)))
        }
        #expect(Set(plans.map(\.tenant)) == ["a", "b", "c"])
        for number in [nil, "", "https://torture.example/person-.png", "https://torture.example/garment.png"] {
            #expect(number.flatMap(CreatePlan.number(ofPicture:)) == nil)
        }
    }

    @Test func `what a gateway cannot do yet is left alone`() throws {
        let options = try options(seed: 5, without: "idempotency,callbacks")
        let plans = (1...200).map { CreatePlan($0, options, tenants: ["a"]) }
        #expect(plans.allSatisfy { $0.idempotencyKey == nil && !$0.wantsCallback })
        #expect(options.has(.queue) && options.has(.accounts) && options.has(.watching))
        #expect(throws: TortureOptions.OptionError.self) { try TortureOptions(["TORTURE_WITHOUT": "everything"]) }
        #expect(throws: TortureOptions.OptionError.self) { try TortureOptions(["TORTURE_KILLS": "-1"]) }
    }

    @Test func `only what surely made nothing is sent again without a key`() {
        func refused(_ status: Int) -> Attempt.Outcome {
            .refused(status: status, code: nil, message: "", taskID: nil, forbidsRetry: false)
        }
        let rows: [(outcome: Attempt.Outcome, withKey: Bool, without: Bool)] = [
            (.accepted(SeenTask(id: "1", status: "submitted")), false, false),
            (refused(429), true, true), (refused(503), true, true), (refused(502), true, false),
            (refused(504), true, false), (refused(409), true, false), (refused(400), false, false),
            (.nothing(wasSent: false, reason: "connect"), true, true),
            (.nothing(wasSent: true, reason: "closed"), true, false), (.left(isWhole: true), true, false),
        ]
        for row in rows {
            #expect(row.outcome.invitesAnother(hasKey: true) == row.withKey, "\(row.outcome)")
            #expect(row.outcome.invitesAnother(hasKey: false) == row.without, "\(row.outcome)")
        }
    }
}
