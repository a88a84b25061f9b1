import TestKit

/// One thing that a client wants made, and how the client goes about it.
///
/// The URL of its person's picture is unique, so the upstream's task is recognized by it, regardless of its ids.
struct CreatePlan: Sendable {
    /// How the client behaves in its first attempt; in later ones it waits for the answer.
    enum Manner: Sendable, Equatable {
        case waits
        /// Leaves after that time, unless the answer has arrived.
        case leaves(after: Duration)
        /// Sends everything, and closes or resets at once.
        case leavesAtOnce(resets: Bool)
        /// Closes or resets in the middle of the body.
        case cutsBody(resets: Bool)
        /// Sends everything, and closes or resets after that time, or in the middle of the answer if it comes first.
        case cutsAnswer(after: Duration, resets: Bool)
    }

    let number: Int
    let tenant: String
    let externalTaskID: String?
    let idempotencyKey: String?
    /// Whether it has no key, and is resent with the same bytes until an answer was read.
    let resends: Bool
    /// How many equal creates its client wants; each is sent once the previous one was answered.
    let wanted: Int
    /// How long its client pauses between two equal creates.
    let restBetween: Duration
    let wantsCallback: Bool
    /// Whether the task is to fail at Kling.
    let fails: Bool
    /// The account that refuses it every time, and how: with a status without an envelope.
    let rejection: (account: String, fault: String)?
    /// Whether the path has the resellers' prefix.
    let isPrefixed: Bool
    let manner: Manner
    /// How long its client pauses before it, so that the gateway makes progress between kills.
    let rest: Duration

    init(_ number: Int, _ options: TortureOptions, tenants: [String]) {
        var dice = Dice(seed: options.seed, "create \(number)")
        self.number = number
        tenant = tenants[Int.random(in: 0..<tenants.count, using: &dice)]
        let hasOwnID = dice.chance(0.4)
        let hasKey = dice.chance(0.5) && options.has(.idempotency)
        idempotencyKey = hasKey ? "key-\(number)" : nil
        let wantsCallback = dice.chance(0.4)
        var habits = Dice(seed: options.seed, "habits \(number)")
        resends = options.has(.resends) && !hasKey && habits.chance(0.6)
        wanted = resends && habits.chance(0.25) ? 2 : 1
        restBetween = habits.milliseconds(0...400)
        // Two equal creates cannot have the same id, and their callbacks could not be told apart.
        externalTaskID = hasOwnID && wanted == 1 ? "order-\(number)" : nil
        self.wantsCallback = wantsCallback && options.has(.callbacks) && wanted == 1
        fails = dice.chance(0.1)
        let fault = "http-" + habits.pick(WeatherPlan.proxyRefusals.map { (1, $0) })
        let isRejected = options.has(.bare) && habits.chance(0.15)
        rejection = isRejected ? (AccountPlan(options).strict.name, fault) : nil
        isPrefixed = dice.chance(0.2)
        rest = dice.milliseconds(0...400)
        let resets = dice.chance(0.5)
        let patience = dice.milliseconds(1...400)
        let cuts = options.has(.cuts) ? 20 : 0
        manner = dice.pick([
            (75 - cuts, .waits), (cuts, .cutsAnswer(after: patience * 2, resets: resets)),
            // If a client leaves, it is unknown whether an answer reached it, so resending clients cut instead.
            (10, resends ? .waits : .leaves(after: patience)),
            (9, .leavesAtOnce(resets: resets)), (6, .cutsBody(resets: resets)),
        ])
    }

    var persistence: Persistence { idempotencyKey != nil ? .key : resends ? .content : .none }

    private static let picturePrefix = "https://torture.example/person-"
    private static let pictureSuffix = ".png"

    /// The URL of the person's picture in a create.
    static func picture(of number: Int) -> String { picturePrefix + String(number) + pictureSuffix }

    /// The create that a person's picture belongs to.
    static func number(ofPicture url: String) -> Int? {
        guard url.hasPrefix(picturePrefix), url.hasSuffix(pictureSuffix) else { return nil }
        return Int(url.dropFirst(picturePrefix.count).dropLast(pictureSuffix.count))
    }

    /// Instructions for the simulated Kling.
    private var instructions: String {
        var instructions = fails ? [#""outcome":"failed""#] : []
        if let rejection {
            instructions.append(#""fault":"\#(rejection.fault)","account":"\#(rejection.account)","times":1000"#)
        }
        return instructions.joined(separator: ",")
    }

    /// The body that is posted.
    /// - Parameter callbackURL: the callback URL of this create.
    func body(callbackURL: String) -> String {
        var members = [
            #""human_image":"\#(Self.picture(of: number))""#,
            #""cloth_image":"https://torture.example/garment.png""#,
        ]
        if let externalTaskID { members.append(#""external_task_id":"\#(externalTaskID)""#) }
        if wantsCallback { members.append(#""callback_url":"\#(callbackURL)""#) }
        if fails || rejection != nil { members.append(#""simulate":{\#(instructions)}"#) }
        return "{" + members.joined(separator: ",") + "}"
    }
}
