internal import KlingAPI

/// How a gateway that serves is doing.
public struct AdminOverview: Sendable {
    /// When it was started, in milliseconds since 1970.
    public var startedAt: Int64
    /// The checks of `/readyz`.
    public var readiness: HealthReport
    public var activity: Activity
    public var tasks: TaskFigures
    public var deliveries: DeliveryFigures

    public init(
        startedAt: Int64, readiness: HealthReport, activity: Activity, tasks: TaskFigures, deliveries: DeliveryFigures
    ) {
        self.startedAt = startedAt
        self.readiness = readiness
        self.activity = activity
        self.tasks = tasks
        self.deliveries = deliveries
    }

    /// How many callbacks have failed in the last ten minutes.
    var failedDeliveries: Int { activity.perMinute(\.failedDeliveries).suffix(10).reduce(0, +) }

    /// Writes the parts that are kept by the minute.
    func writeSeries(to writer: inout JSONWriter) {
        writer.object("series") { series in
            for (name, count) in [
                ("creates", \.creates), ("errors", \.errors), ("finished", \.finished),
            ] as [(StaticString, KeyPath<Activity.Totals, UInt64>)] {
                series.array(name) { list in
                    for number in activity.perMinute(count) { list.integer(number) }
                }
            }
        }
    }

    func writeReadiness(to writer: inout JSONWriter) {
        // The names of the checks are fixed in the code and need no escaping.
        let checks = readiness.outcomes.map { "\"\($0.name)\":\"\($0.outcome.rawValue)\"" }.joined(separator: ",")
        writer.member("ready", json: "{\"ready\":\(readiness.isReady),\"checks\":{\(checks)}}".utf8)
    }

    private static let gateways = AdminSchemas.list(
        AdminSchemas.object([
            ("number", AdminSchemas.integer("The number of a gateway that shares the store. Empty list: none does.")),
            ("name", AdminSchemas.text("The name of its host.")),
            ("started_at", AdminSchemas.time("When it was started")),
            ("tasks", AdminSchemas.integer("The unfinished tasks that it owns.")),
            ("this", AdminSchemas.flag("Whether it is the one that answers.")),
        ]))

    static let schema = AdminSchemas.object([
        ("version", AdminSchemas.text("The gateway's version.")),
        ("started_at", AdminSchemas.time("When it was started")),
        (
            "ready",
            AdminSchemas.object([
                ("ready", AdminSchemas.flag("Whether all checks passed.")),
                (
                    "checks",
                    [
                        "type": "object",
                        "additionalProperties": ["type": "string", "enum": ["ok", "failed", "timed_out"]],
                    ]
                ),
            ])
        ),
        ("requests_per_minute", AdminSchemas.integer("Requests answered in the last minute.")),
        (
            "tasks",
            AdminSchemas.object([
                ("running", AdminSchemas.integer("Tasks at accounts.")),
                ("queued", AdminSchemas.integer("Tasks that wait.")),
                ("unknown", AdminSchemas.integer("Tasks of which it is unknown whether Kling has them.")),
                ("stuck", AdminSchemas.integer("Tasks that Kling has not known for a day.")),
            ])
        ), ("accounts", AdminSchemas.list(AdminAccount.schema)), ("gateways", gateways),
        (
            "queue",
            AdminSchemas.object([
                ("tasks", AdminSchemas.integer("Tasks in the queue.")),
                ("bytes", AdminSchemas.integer("The size of their bodies.")),
                ("oldest_seconds", AdminSchemas.integer("How long the oldest has waited.")),
            ])
        ),
        (
            "deliveries",
            AdminSchemas.object([
                ("waiting", AdminSchemas.integer("Callbacks that are due or in flight.")),
                ("failing", AdminSchemas.integer("Attempts that have failed in the last ten minutes.")),
            ])
        ),
        (
            "attention",
            AdminSchemas.list(
                AdminSchemas.object([
                    ("what", AdminSchemas.text("What needs the operator.")), ("detail", AdminSchemas.text("Why.")),
                    ("link", AdminSchemas.text("Where the console shows it.")),
                ]))
        ),
        (
            "series",
            AdminSchemas.object(
                ["creates", "errors", "finished"].map {
                    (
                        $0,
                        [
                            "type": "array", "items": ["type": "integer"],
                            "description": "One number for each of the last 60 minutes.",
                        ]
                    )
                })
        ),
    ])
}

/// Something that needs the operator.
struct AdminAttention: Sendable {
    let what: String
    let detail: String
    /// The place in the console.
    let link: String

    func write(to writer: inout JSONWriter) {
        writer.member("what", what)
        writer.member("detail", detail)
        writer.member("link", link)
    }
}
