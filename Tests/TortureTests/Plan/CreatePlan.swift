/// One thing that a client wants made, and how it goes about it.
///
/// Its person's picture has a URL that no other create has: by it the upstream's task is recognized, whatever its ids.
struct CreatePlan: Sendable {
    /// How the client behaves in its first attempt; in later ones it waits for the answer.
    enum Manner: Sendable, Equatable {
        case waits
        /// Leaves after that time, unless the answer is there.
        case leaves(after: Duration)
        /// Sends everything, and closes or resets at once.
        case leavesAtOnce(resets: Bool)
        /// Closes or resets in the middle of the body.
        case cutsBody(resets: Bool)
        /// Sends everything, and closes or resets after that time, or in the middle of the answer if that is there.
        case cutsAnswer(after: Duration, resets: Bool)
    }

    let number: Int
    let tenant: String
    let externalTaskID: String?
    let idempotencyKey: String?
    /// Whether it has no key, and is sent again with the same bytes until an answer was read.
    let resends: Bool
    /// How many equal creates its client wants: the next one is sent when the one before was answered.
    let wanted: Int
    /// How long its client rests between two equal creates.
    let restBetween: Duration
    let wantsCallback: Bool
    /// Whether the task is to fail at Kling.
    let fails: Bool
    /// How one account refuses it whenever it comes, and which one: with a status without an envelope.
    let displeasure: (account: String, fault: String)?
    /// Whether the path has the resellers' prefix.
    let isPrefixed: Bool
    let manner: Manner
    /// How long its client rests before it, so that gateways live long enough between kills to do something.
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
        // Two equal creates cannot have one id, and their callbacks could not be told apart.
        externalTaskID = hasOwnID && wanted == 1 ? "order-\(number)" : nil
        self.wantsCallback = wantsCallback && options.has(.callbacks) && wanted == 1
        fails = dice.chance(0.1)
        let fault = "http-" + habits.pick(WeatherPlan.unpleasant.map { (1, $0) })
        let displeases = options.has(.bare) && habits.chance(0.15)
        displeasure = displeases ? (AccountPlan(options).moody.name, fault) : nil
        isPrefixed = dice.chance(0.2)
        rest = dice.milliseconds(0...400)
        let resets = dice.chance(0.5)
        let patience = dice.milliseconds(1...400)
        let cuts = options.has(.cuts) ? 20 : 0
        manner = dice.pick([
            (75 - cuts, .waits), (cuts, .cutsAnswer(after: patience * 2, resets: resets)),
            // Whether an answer has reached somebody who leaves is not known: those who send again cut.
            (10, resends ? .waits : .leaves(after: patience)),
            (9, .leavesAtOnce(resets: resets)), (6, .cutsBody(resets: resets)),
        ])
    }

    var persistence: Persistence { idempotencyKey != nil ? .key : resends ? .content : .none }

    private static let picturePrefix = "https://torture.example/person-"
    private static let pictureSuffix = ".png"

    /// The person's picture of a create.
    static func picture(of number: Int) -> String { picturePrefix + String(number) + pictureSuffix }

    /// The create that a person's picture belongs to.
    static func number(ofPicture url: String) -> Int? {
        guard url.hasPrefix(picturePrefix), url.hasSuffix(pictureSuffix) else { return nil }
        return Int(url.dropFirst(picturePrefix.count).dropLast(pictureSuffix.count))
    }

    /// What the simulated Kling is asked for beside the task.
    private var wishes: String {
        var wishes = fails ? [#""outcome":"failed""#] : []
        if let displeasure {
            wishes.append(#""fault":"\#(displeasure.fault)","account":"\#(displeasure.account)","times":1000"#)
        }
        return wishes.joined(separator: ",")
    }

    /// What is posted.
    /// - Parameter callbackURL: where this create is to be called.
    func body(callbackURL: String) -> String {
        var members = [
            #""human_image":"\#(Self.picture(of: number))""#,
            #""cloth_image":"https://torture.example/garment.png""#,
        ]
        if let externalTaskID { members.append(#""external_task_id":"\#(externalTaskID)""#) }
        if wantsCallback { members.append(#""callback_url":"\#(callbackURL)""#) }
        if fails || displeasure != nil { members.append(#""simulate":{\#(wishes)}"#) }
        return "{" + members.joined(separator: ",") + "}"
    }
}
