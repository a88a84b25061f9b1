import Foundation
import TestKit
import Testing

/// Ids that clients were given while the store could not be written to.
@Suite(.aFewAtATime) struct PublicIDTests {
    private static let own = #""external_task_id":"order-1""#

    /// Keeps the gateway from writing, and sends it a create, which is answered with the gateway's id.
    private func idGivenWhileStoreIsHeld(_ rig: Rig) async throws -> (id: String, holder: HeldStore) {
        let holder = try await HeldStore(rig.folder)
        try rig.fail("create:slow=6:1:1")
        let gateway = rig.gateway
        async let answered = gateway.create(Self.own)
        try await eventually("Kling has been asked") { rig.creates() == 1 }
        try await holder.hold()
        let answer = try await answered
        #expect(answer.status == 502, "\(answer.text)")
        return (try #require(answer.error["task_id"] as? String), holder)
    }

    /// A power cut takes writes to the store's files back.
    private static let ends = ["released", "killed"] + (TestStore.chosen == .sqlite ? ["without power"] : [])

    @Test(arguments: ends)
    func `an id given to a client while the store was held stays the task's id`(_ end: String) async throws {
        try await Rig.run(losesPower: end == "without power") { rig in
            let (id, holder) = try await idGivenWhileStoreIsHeld(rig)
            for asked in [id, "order-1"] {
                let answer = try await rig.query(asked)
                #expect(answer.status == 200 && answer.data["task_id"] as? String == id, "\(answer.text)")
            }
            if end != "released" { try await rig.kill() }
            try await holder.release()
            _ = try rig.powerCut?.apply(Dice(seed: 1, "power cut"), severity: .whole)
            if end != "released" { try await rig.start() }
            try await eventually("the task has ended") { try await rig.status(id) == "succeed" }
            #expect(try await rig.listed() == [id: "succeed"])
            #expect(try await rig.query("order-1").data["task_id"] as? String == id)
            #expect(rig.creates() == 1)
        }
    }
}
