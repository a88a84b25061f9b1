internal import Foundation
internal import KlingAPI

/// Answers of the administration API, as commands print them.
extension JSONObject {
    /// The object as a line of JSON.
    var line: String { String(decoding: json, as: UTF8.self) }

    /// A member as a cell of a table; `none` if it is null or absent.
    func cell(_ name: StaticString, or none: String = "") -> String { identifier(name) ?? none }

    /// A time as a cell.
    func time(_ name: StaticString) -> String {
        integer(name).map { Date(timeIntervalSince1970: Double($0) / 1000).formatted(.iso8601) } ?? ""
    }

    /// Whether a member is true.
    func isTrue(_ name: StaticString) -> Bool { self[name].flatMap { flag(of: $0) } ?? false }

    /// A member that is a number, as it is written.
    func number(_ name: StaticString) -> String? { self[name].flatMap { $0.kind == .number ? json(of: $0) : nil } }

    /// The objects of a member that is an array.
    func list(_ name: StaticString) -> [JSONObject] { array(name)?.compactMap { object(of: $0) } ?? [] }

    /// The texts of a member that is an array.
    func texts(_ name: StaticString) -> [String] { array(name)?.compactMap { text(of: $0) } ?? [] }
}
