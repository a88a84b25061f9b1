import KlingAPI
import Testing

struct JSONNumberTests {
    @Test(
        arguments: [
            ("2", 2), ("0", 0), ("-3", -3), ("2.0", 2), ("2e0", 2), ("0.2E+1", 2),
            ("9007199254740993", 9_007_199_254_740_993),
            ("2.5", nil), ("1e300", nil), ("1e16", nil), ("", nil), ("two", nil), ("0x2", nil), ("inf", nil),
            ("nan", nil),
            (" 2", nil), ("2 ", nil), ("--2", nil), ("1.2.3", nil),
        ] as [(String, Int?)])
    func `a whole number is read however JSON writes it`(text: String, number: Int?) {
        #expect(Int(jsonNumber: text) == number)
    }
}
