import Base
import KlingAPI
import Testing

@testable import Gateway

struct AccountCapabilitiesTests {
    private static let kling = "https://api-singapore.klingai.com"
    private static let reseller = "https://reseller.example/kling"
    private static let key = Account.Credential.apiKey(Secret("a key"))
    private static let tokens = Account.Credential.tokens(
        TokenSigner(accessKey: "an access key", secretKey: Secret("a secret key")))

    private struct Row {
        var configured = AccountTraits()
        var learned = AccountTraits()
        var url = AccountCapabilitiesTests.reseller
        var credential = AccountCapabilitiesTests.key
        let hasLookup: Bool?
        let hasUniqueIDs: Bool
        let dialect: KlingDialect
        let alternative: KlingDialect?
    }

    @Test func `the configuration counts first, then what was learned, then what is assumed`() {
        let (none, all) = (
            AccountTraits(), AccountTraits(hasLookup: true, hasUniqueIDs: true, dialect: .solutions)
        )
        let opposite = AccountTraits(hasLookup: false, hasUniqueIDs: false, dialect: .kolors)
        let rows: [Row] = [
            Row(hasLookup: nil, hasUniqueIDs: false, dialect: .kolors, alternative: .solutions),
            Row(url: Self.kling, hasLookup: nil, hasUniqueIDs: true, dialect: .solutions, alternative: .kolors),
            Row(credential: Self.tokens, hasLookup: true, hasUniqueIDs: true, dialect: .kolors, alternative: nil),
            Row(learned: all, hasLookup: true, hasUniqueIDs: true, dialect: .solutions, alternative: .kolors),
            Row(
                learned: opposite, url: Self.kling, hasLookup: false, hasUniqueIDs: false, dialect: .kolors,
                alternative: .solutions),
            Row(
                learned: opposite, credential: Self.tokens, hasLookup: false, hasUniqueIDs: false, dialect: .kolors,
                alternative: nil),
            Row(
                configured: all, learned: opposite, hasLookup: true, hasUniqueIDs: true, dialect: .solutions,
                alternative: nil),
            Row(
                configured: opposite, learned: all, url: Self.kling, hasLookup: false, hasUniqueIDs: false,
                dialect: .kolors, alternative: nil),
        ]
        for row in rows {
            let account = AccountCapabilities(row.configured, baseURL: row.url, row.credential)
            account.learn(row.learned)
            account.learn(none)
            #expect(account.hasLookup == row.hasLookup, "\(row)")
            #expect(account.hasUniqueIDs == row.hasUniqueIDs, "\(row)")
            #expect(account.mayRepeat == (row.hasLookup == true && row.hasUniqueIDs), "\(row)")
            #expect(account.dialect == row.dialect, "\(row)")
            #expect(account.alternative(to: row.dialect) == row.alternative, "\(row)")
        }
    }

    @Test func `look-ups are probed at most once a minute, until it is known whether they work`() {
        let account = AccountCapabilities(AccountTraits(), baseURL: Self.reseller, Self.key)
        let start = MonotonicTime(nanoseconds: 0)
        let asked = [0.0, 1, 59, 60, 61, 119, 120].map { account.takeLookupProbe(now: start + .seconds($0)) }
        #expect(asked == [true, false, false, true, false, false, true])
        #expect(account.takeAPIProbe(now: start + .seconds(120)))
        account.learn(AccountTraits(hasLookup: false))
        #expect(!account.takeLookupProbe(now: start + .seconds(1_000)))
    }
}
