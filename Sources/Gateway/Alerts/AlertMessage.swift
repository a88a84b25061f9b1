internal import Base
internal import KlingAPI

/// The body that an operator's webhook is sent.
enum AlertMessage {
    /// The body for an event.
    /// - Parameter now: milliseconds since 1970.
    static func body(_ event: AlertEvent, at now: Int64) -> [UInt8] {
        let condition = event.condition
        return body(
            event.step == .cleared ? "alert.cleared" : "alert.raised", alert: condition.kind.rawValue,
            id: condition.id, subject: condition.subject, summary: condition.summary, details: condition.details,
            since: now - event.lasted.nanoseconds / 1_000_000, at: now)
    }

    /// The body with which an operator tries the webhook.
    static func test(at now: Int64) -> [UInt8] {
        body(
            "alert.raised", alert: "test", id: "test", subject: "",
            summary: "This is a test by `kling-gateway alerts test`. Nothing is wrong.", details: [], since: now,
            at: now)
    }

    private static func body(
        _ type: String, alert: String, id: String, subject: String, summary: String, details: [AlertDetail],
        since: Int64, at now: Int64
    ) -> [UInt8] {
        JSONWriter.object { writer in
            writer.member("type", type)
            writer.member("timestamp", UTCTime.text(now))
            writer.object("data") { writer in
                writer.member("alert", alert)
                writer.member("subject", subject)
                writer.member("summary", summary)
                writer.object("details") { writer in
                    for detail in details { write(detail, to: &writer) }
                }
                writer.member("id", id)
                writer.member("since", UTCTime.text(since))
            }
        }
    }

    private static func write(_ detail: AlertDetail, to writer: inout JSONWriter) {
        switch detail.value {
        case .text(let text): writer.member(detail.name, text)
        case .number(let number): writer.member(detail.name, number: number)
        }
    }
}
