import Testing

/// The plan of a run follows from its seed.
struct PlanTests {
    private func options(seed: UInt64, without: String = "") throws -> TortureOptions {
        try TortureOptions([
            "TORTURE_SEED": "\(seed)", "TORTURE_KILLS": "40", "TORTURE_CREATES": "500", "TORTURE_WITHOUT": without,
        ])
    }

    /// All choices, as text.
    private func choices(_ options: TortureOptions) -> String {
        var weather = WeatherPlan(options)
        let spells = (0..<50).map { _ in "\(weather.next())" }
        let creates = (1...options.creates).map { "\(CreatePlan($0, options, tenants: ["a", "b"]))" }
        var clock = ClockPlan(options)
        let clocks = (0..<50).map { _ in "\(clock.next())" }
        let accounts = AccountPlan(options).accounts.map { "\($0)" }
        let reactions = (0..<50).map { "\(ReceiverPlan(options).reaction(create: $0, arrival: 0))" }
        return (spells + creates + clocks + accounts + reactions + ["\(KillPlan(options))"]).joined(separator: "\n")
    }

    @Test func `the same seed makes the same choices, and another seed makes others`() throws {
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
        #expect(kills.filter(\.cutsPower).count == 6)
    }

    @Test func `one of the database kills is a failover if that is asked for, and nothing else changes`() throws {
        var places: Set<Int> = []
        for seed in 0..<20 {
            let environment = ["TORTURE_SEED": "\(seed)", "TORTURE_REPLICAS": "2", "TORTURE_DATABASE_KILLS": "3"]
            let without = KillPlan(try TortureOptions(environment)).kills
            let with = KillPlan(try TortureOptions(environment.merging(["TORTURE_FAILOVERS": "1"]) { $1 })).kills
            let changed = zip(without, with).map { $0.victim != $1.victim }
            let place = try #require(changed.firstIndex(of: true))
            #expect(changed.count(where: { $0 }) == 1)
            #expect(without[place].victim == .database && with[place].victim == .failover)
            #expect(with.map(\.afterCreates) == without.map(\.afterCreates))
            places.insert(with[..<place].count { $0.victim == .database })
        }
        #expect(places == [0, 1, 2])
    }

    @Test func `a failover that cannot happen is refused, with the reason`() {
        let possible = ["REPLICAS": "2", "DATABASE_KILLS": "3", "FAILOVERS": "1"]
        for change in [
            ["FAILOVERS": "2"], ["REPLICAS": "1"], ["DATABASE_KILLS": "0"], ["KILLS": "0"], ["FAILOVERS": "-1"],
        ] {
            let variables = possible.merging(change) { $1 }.map { ("TORTURE_" + $0.key, $0.value) }
            let error = #expect(throws: TortureOptions.OptionError.self) {
                try TortureOptions(Dictionary(uniqueKeysWithValues: variables))
            }
            #expect(error?.name == "FAILOVERS")
        }
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

    @Test func `capabilities that are left out are not used, and invalid options are refused`() throws {
        let options = try options(seed: 5, without: "idempotency,callbacks")
        let plans = (1...200).map { CreatePlan($0, options, tenants: ["a"]) }
        #expect(plans.allSatisfy { $0.idempotencyKey == nil && !$0.wantsCallback })
        #expect(options.has(.queue) && options.has(.accounts) && options.has(.watching))
        #expect(throws: TortureOptions.OptionError.self) { try TortureOptions(["TORTURE_WITHOUT": "everything"]) }
        #expect(throws: TortureOptions.OptionError.self) { try TortureOptions(["TORTURE_KILLS": "-1"]) }
        var few = try TortureOptions(["TORTURE_KILLS": "3", "TORTURE_CUTS": "5"])
        #expect(KillPlan(few).kills.filter(\.cutsPower).count == 3)
        few.powerCuts = 0
        #expect(KillPlan(few).kills.allSatisfy { !$0.cutsPower })
    }

    @Test func `every capability can be left out by itself`() throws {
        for part in TortureOptions.Capability.allCases {
            let options = try options(seed: 6, without: part.rawValue)
            #expect(TortureOptions.Capability.allCases.filter { !options.has($0) } == [part])
        }
        let plain = try options(
            seed: 6, without: "lag,resellers,bare,strangers,ids,cuts,resends,outages,clocks,swaps,dialects")
        #expect(AccountPlan(plain).accounts.map(\.name) == ["account-0", "account-1", "account-2"])
        let plans = (1...200).map { CreatePlan($0, plain, tenants: ["a"]) }
        #expect(plans.allSatisfy { !$0.resends && $0.wanted == 1 })
        #expect(!plans.contains { if case .cutsAnswer = $0.manner { true } else { false } })
        #expect(KillPlan(plain).kills.allSatisfy { !$0.isSwapped })
        var weather = WeatherPlan(plain)
        let rules = (0..<200).flatMap { _ in weather.next().rules }
        #expect(rules.allSatisfy { $0.account == nil && !$0.fault.contains("lag") && !$0.fault.contains("stranger") })
    }

    @Test func `every capability takes part`() throws {
        let options = try options(seed: 7)
        var weather = WeatherPlan(options)
        let rules = (0..<400).flatMap { _ in weather.next().rules }
        for fault in ["stranger", "stranger-renumbered", "made-long-id", "http-413-error", "http-404-error"] {
            #expect(rules.contains { $0.fault == fault }, "\(fault)")
        }
        let denials = rules.filter { $0.probability == 1 && $0.point == "create" }
        #expect(!denials.isEmpty && denials.allSatisfy { $0.account == "reseller" })
        let plans = (1...500).map { CreatePlan($0, options, tenants: ["a"]) }
        #expect(plans.contains { $0.rejection?.account == "reseller" })
        #expect(plans.contains { $0.wanted == 2 } && plans.allSatisfy { $0.wanted == 1 || $0.resends })
        #expect(plans.allSatisfy { !$0.resends || $0.idempotencyKey == nil })
        // Two equal creates must be the same to the last byte.
        #expect(plans.allSatisfy { $0.wanted == 1 || $0.externalTaskID == nil && !$0.wantsCallback })
        let swaps = KillPlan(options).kills.map(\.isSwapped)
        #expect(swaps.contains(true) && swaps.contains(false))
        var clock = ClockPlan(options)
        let shifts = (0..<50).flatMap { _ in clock.next() }.map(\.shift)
        #expect(shifts.contains { $0 > 366 * 86_400 } && shifts.contains { $0 < -366 * 86_400 } && shifts.contains(0))
    }

    @Test func `one account takes another's place under its name`() throws {
        let plan = AccountPlan(try options(seed: 8))
        let (before, after) = (plan.configured(swapped: false), plan.configured(swapped: true))
        #expect(before.map(\.gatewayName).sorted() == after.map(\.gatewayName).sorted())
        #expect(Set(before).subtracting(after).map(\.name) == ["account-0"])
        #expect(Set(after).subtracting(before).map(\.name) == ["account-0-other"])
        #expect(Set(before.map(\.gatewayName)).count == before.count)
    }

    @Test func `a create that is not recognized is resent only if it certainly made nothing`() {
        func refused(_ status: Int) -> Attempt.Outcome {
            .refused(status: status, code: nil, message: "", taskID: nil, forbidsRetry: false)
        }
        let rows: [(outcome: Attempt.Outcome, key: Bool, content: Bool, none: Bool)] = [
            (.accepted(SeenTask(id: "1", status: "submitted")), false, false, false),
            (refused(429), true, true, true), (refused(503), true, true, true), (refused(502), true, true, false),
            (refused(504), true, true, false), (refused(409), true, false, false), (refused(400), false, false, false),
            (.nothing(wasSent: false, reason: "connect"), true, true, true),
            (.nothing(wasSent: true, reason: "closed"), true, true, false), (.left(isWhole: true), true, true, false),
            (.cut(hasArrived: false), true, true, false), (.cut(hasArrived: true), true, true, false),
        ]
        for row in rows {
            #expect(row.outcome.invitesAnother(.key) == row.key, "\(row.outcome)")
            #expect(row.outcome.invitesAnother(.content) == row.content, "\(row.outcome)")
            #expect(row.outcome.invitesAnother(.none) == row.none, "\(row.outcome)")
        }
    }
}
