internal import Crypto
internal import KlingAPI
internal import TaskStore

/// A job as useapi.net's page documents it. Members without a counterpart in the gateway (points, tickets, a
/// limitation) are present as on that page.
enum UseapiView {
    private static let type = "mmu_img2img_aitryon"
    private static let scene = "NORMAL_CREATION"

    /// The answer to create and query.
    static func json(_ job: JobRecord) -> [UInt8] { JSONWriter.object(capacity: usualLength) { write(job, to: &$0) } }

    /// The body of a callback: the answer to a query, and the client's own reference.
    static func callback(_ job: JobRecord) -> [UInt8] {
        JSONWriter.object(capacity: usualLength) { body in
            write(job, to: &body)
            body.member("replyRef", ifPresent: job.callbackRef)
        }
    }

    /// The JSON before and after the jobs in the answer to a list.
    static var aroundHistory: (head: [UInt8], tail: [UInt8]) {
        let empty = JSONWriter.object { $0.array("history") { _ in } }
        return (Array(empty.dropLast(2)), Array(empty.suffix(2)))
    }

    /// The approximate size of a job's answer, in bytes.
    static let usualLength = 2048

    private static func write(_ job: JobRecord, to body: inout JSONWriter) {
        let progress = UseapiProgress(job.tasks)
        body.object("task") { write(job, progress.status, task: &$0) }
        body.array("works") { list in
            for (index, pictures) in progress.pictures.enumerated() {
                for (place, picture) in pictures.prefix(mostPictures).enumerated() {
                    let id = (Int(job.number) * UseapiRequest.imageCounts.upperBound + index) * mostPictures + place
                    list.object { write(picture, id: id, of: job, work: &$0) }
                }
            }
        }
        write(progress.status, to: &body)
        body.member("etaTime", 0)
        body.member("message", progress.message)
        body.object("limitation") { limitation in
            limitation.member("type", type)
            limitation.member("remaining", 10_000)
            limitation.member("limit", 10_000)
        }
        body.object("userPoints") { points in
            points.array("points") { _ in }
            points.member("total", 0)
        }
        body.object("userTickets") { tickets in tickets.array("ticket") { _ in } }
        body.member("editProject", orNull: nil)
    }

    /// The maximum number of pictures shown per task, each with an id of its own. Kling makes one.
    private static let mostPictures = 8

    private static func write(_ job: JobRecord, _ status: UseapiStatus, task: inout JSONWriter) {
        task.member("id", Int(job.number))
        task.member("userId", userID(job.tenant))
        task.member("type", type)
        task.member("scene", scene)
        write(status, to: &task)
        let isOwn = job.shape == Shape.useapi.rawValue
        task.member("taskInfo", json: isOwn ? job.request : taskInfo([], count: job.tasks.count))
        for name in ["favored", "deleted", "viewed"] as [StaticString] { task.member(name, false) }
        task.member("createTime", Int(job.createdAt))
        task.member("updateTime", Int(job.updatedAt))
    }

    private static func write(_ status: UseapiStatus, to writer: inout JSONWriter) {
        writer.member("status", status.rawValue)
        writer.member("status_name", status.word)
        writer.member("status_final", status.isFinal)
    }

    private static func write(_ picture: TaskImage, id: Int, of job: JobRecord, work: inout JSONWriter) {
        work.member("workId", id)
        work.member("taskId", Int(job.number))
        work.member("type", type)
        write(.succeed, to: &work)
        work.member("contentType", "image")
        for name in ["resource", "cover"] as [StaticString] {
            work.object(name) { resource in
                resource.member("resource", picture.url)
                // Kling doesn't say how large its picture is.
                for name in ["height", "width", "duration"] as [StaticString] { resource.member(name, 0) }
            }
        }
        work.member("createTime", Int(job.createdAt))
        work.member("updateTime", Int(job.updatedAt))
    }

    /// A number that is stable for a tenant and reveals nothing about it.
    private static func userID(_ tenant: String) -> Int {
        SHA256.hash(data: Array(tenant.utf8)).prefix(4).reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
    }

    // MARK: The stored request

    /// The `taskInfo` of a new job, which is stored with it.
    static func taskInfo(_ request: UseapiRequest) -> [UInt8] {
        taskInfo(request.pictures, count: request.imageCount)
    }

    private static func taskInfo(_ pictures: [GivenPicture], count: Int) -> [UInt8] {
        JSONWriter.object(capacity: 1024) { info in
            info.member("type", type)
            info.array("inputs") { list in
                for picture in pictures { list.object { write(picture, input: &$0) } }
            }
            info.array("arguments") { list in
                // useapi.net's page has this argument, but clients cannot set it.
                write("personType", "Female", to: &list)
                write("imageCount", String(count), to: &list)
            }
            info.object("extraArgs") { _ in }
            info.array("callbackPayloads") { _ in }
            info.member("scene", scene)
        }
    }

    private static func write(_ picture: GivenPicture, input: inout JSONWriter) {
        input.member("name", picture.field)
        let url: String? = if case .url(let text) = picture.content { text } else { nil }
        input.member("inputType", url == nil ? "FILE" : "URL")
        for name in ["token", "blobStorage"] as [StaticString] { input.member(name, orNull: nil) }
        input.member("url", url ?? "")
        for name in ["cover", "fromWorkId"] as [StaticString] { input.member(name, orNull: nil) }
    }

    private static func write(_ name: String, _ value: String, to list: inout JSONWriter) {
        list.object { argument in
            argument.member("name", name)
            argument.member("value", value)
        }
    }
}
