import Base
import KlingAPI
import TaskStore
import Testing

@testable import Gateway

/// Every phase with every event.
struct AccountPhaseTests {
    /// What the letters of the table stand for.
    ///
    /// H healthy, S saturated, C cooling for the first pause, O cooling with its pause elapsed, P cooling and probed by
    /// another create, T cooling and probed by the create itself, L cooling for longer; D disabled, A disabled with its
    /// list call answered, Q disabled and probed by another create, U disabled and probed by the create itself.
    private enum Phase: Character, CaseIterable {
        case healthy = "H"
        case saturated = "S"
        case cooling = "C"
        case open = "O"
        case probedByAnother = "P"
        case probed = "T"
        case coolingLonger = "L"
        case disabled = "D"
        case listed = "A"
        case disabledProbedByAnother = "Q"
        case disabledProbed = "U"
    }

    private static let task = 1
    private static let other = 2

    /// An account that is in a phase at second 20. Its create ``task`` was sent while it was healthy, or is the probe.
    private func state(in phase: Phase) -> AccountSubject {
        let state = AccountSubject(account("a"))
        let isProbe = phase == .probed || phase == .disabledProbed
        if !isProbe { state.reserve(Self.task, at: 0) }
        state.reserve(Self.other, at: 0)
        switch phase {
        case .healthy: break
        case .saturated: state.settle(Self.other, .saturated, at: 20)
        case .cooling: state.settle(Self.other, .rateLimited, at: 20)
        case .open, .probed, .probedByAnother, .coolingLonger:
            state.settle(Self.other, .rateLimited, at: 10)
            if phase == .open { break }
            state.reserve(isProbe ? Self.task : Self.other, at: 20)
            if phase == .coolingLonger { state.settle(Self.other, .notSent, at: 20) }
        case .disabled, .listed, .disabledProbed, .disabledProbedByAnother:
            state.settle(Self.other, .packUsedUp, at: 20)
            if phase == .disabled { break }
            state.probed(.answered, at: 20)
            if phase == .listed { break }
            state.reserve(isProbe ? Self.task : Self.other, at: 20)
        }
        return state
    }

    /// The letter of the phase that an account is in, by default at second 20.
    private func letter(_ subject: AccountSubject, at seconds: Double = 20) -> Character {
        switch subject.state.phase {
        case .healthy: return "H"
        case .saturated: return "S"
        case .cooling(let cooling):
            if let probe = cooling.probe { return probe == id(Self.task) ? "T" : "P" }
            if cooling.until <= moment(seconds) { return "O" }
            return cooling.pause == .seconds(1) ? "C" : "L"
        case .disabled(let disablement):
            if let probe = disablement.probe { return probe == id(Self.task) ? "U" : "Q" }
            return disablement.isOpen ? "A" : "D"
        }
    }

    private static let events: [CreateEvent] = [
        .accepted, .notSent, .saturated, .rateLimited, .unavailable, .packUsedUp, .modelRefused, .refusedForGood,
        .ambiguous, .ended, .withdrawn,
    ]

    /// The phase before, then the phase after each of ``events``.
    private static let table = """
        ·  acc  not  1303 1302 5001 1102 1103 for  ambi end  with
        ·       sent                          good guous    drawn
        H  H    C    S    C    C    D    H    H    H    H    H
        S  S    C    S    C    C    D    S    S    S    H    S
        C  C    C    C    C    C    D    C    C    C    C    C
        O  O    O    O    O    O    D    O    O    O    O    O
        P  P    P    P    P    P    D    P    P    P    P    P
        T  H    L    S    L    L    D    H    H    L    O    O
        L  L    L    L    L    L    D    L    L    L    L    L
        D  D    D    D    D    D    D    D    D    D    D    D
        A  A    A    A    A    A    D    A    A    A    A    A
        Q  Q    Q    Q    Q    Q    D    Q    Q    Q    Q    Q
        U  H    D    S    D    D    D    A    A    D    A    A
        """

    /// The phase before; then the phase a minute later, after a list call that was answered, refused or failed, and
    /// after a reservation if there is room for one.
    private static let otherTable = """
        ·  later answered refused failed reserved
        H  H     H        D       H      H
        S  H     S        D       S      -
        C  O     C        D       C      -
        O  O     O        D       O      T
        P  P     P        D       P      -
        T  T     T        D       T      -
        L  O     L        D       L      -
        D  D     A        D       D      -
        A  A     A        D       A      U
        Q  Q     Q        D       Q      -
        U  U     U        D       U      -
        """

    /// The rows of a table: every phase with the letters next to it.
    private func rows(_ table: String) throws -> [(phase: Phase, letters: [Character])] {
        let lines = table.split(separator: "\n").filter { !$0.hasPrefix("·") }
        try #require(lines.count == Phase.allCases.count)
        return try lines.map { line in
            let letters = line.filter { $0 != " " }
            return (try #require(letters.first.flatMap(Phase.init)), Array(letters.dropFirst()))
        }
    }

    @Test func `each create event changes the phase as the table says`() throws {
        for (phase, row) in try rows(Self.table) {
            try #require(row.count == Self.events.count)
            #expect(letter(state(in: phase)) == phase.rawValue)
            for (event, expected) in zip(Self.events, row) {
                let state = state(in: phase)
                state.settle(Self.task, event, at: 20)
                #expect(letter(state) == expected, "\(phase), \(event)")
            }
        }
    }

    @Test func `time, list calls and reservations change the phase as the table says`() throws {
        for (phase, row) in try rows(Self.otherTable) {
            let later = state(in: phase)
            later.advance(to: 80)
            #expect(letter(later, at: 80) == row[0], "\(phase), later")
            let outcomes: [ProbeOutcome] = [.answered, .refused(.authorizationInvalid, reason: ""), .failed]
            for (outcome, expected) in zip(outcomes, row[1...]) {
                let listed = state(in: phase)
                listed.probed(outcome, at: 20)
                #expect(letter(listed) == expected, "\(phase), \(outcome)")
            }
            // The two earlier creates fill the slow start's window of an account that has accepted nothing.
            let reserved = state(in: phase)
            if phase == .healthy { for task in [Self.task, Self.other] { reserved.settle(task, .withdrawn, at: 20) } }
            let isTaken = reserved.take(phase == .open || phase == .listed ? Self.task : 3, at: 20)
            #expect((isTaken ? letter(reserved) : "-") == row[4], "\(phase), reserved")
        }
    }

    @Test(arguments: KlingCode.documented)
    func `maps each Kling code to an account fault`(code: KlingCode) throws {
        let body = #"{"code":\#(code.rawValue),"message":"words","request_id":"r"}"#
        let fault = try AccountFault(#require(KlingAnswer(Array(body.utf8))))
        let expected: AccountFault =
            switch code.rawValue {
            case 1000...1004, 1100...1102, 1304: .account(code, reason: "words")
            case 1103: .model(code, reason: "words")
            case 1302: .rateLimited
            case 1303: .saturated
            default: .unavailable
            }
        #expect(fault == expected)
    }

    @Test(
        arguments: [
            (429, "", AccountFault.rateLimited), (302, "", .unavailable),
            (401, "<html>", .account(.authenticationFailed, reason: "HTTP 401")),
            (402, "", .account(.accountInArrears, reason: "HTTP 402")),
            (403, "", .account(.accountAbnormal, reason: "HTTP 403")),
            (404, "", .account(.notFound, reason: "HTTP 404")), (405, "", .account(.invalidMethod, reason: "HTTP 405")),
            (501, "", .account(.invalidMethod, reason: "HTTP 501")),
            (
                403, #"{"code":"insufficient_user_quota","message":"used\n up","data":null}"#,
                .account(.resourcePackExhausted, reason: "HTTP 403 (insufficient_user_quota): used up")
            ),
            (
                503, #"{"error":{"message":"no channel","type":"new_api_error","code":"model_not_found"}}"#,
                .model(.permissionDenied, reason: "HTTP 503 (model_not_found): no channel")
            ),
        ])
    func `maps an answer without Kling's envelope to an account fault`(status: Int, body: String, fault: AccountFault) {
        #expect(AccountFault(BareAnswer(httpStatus: status, body: Array(body.utf8))) == fault)
    }
}
