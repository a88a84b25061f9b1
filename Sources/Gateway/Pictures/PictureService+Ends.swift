internal import Base
internal import EventLoop
internal import HTTPServer
internal import KlingAPI
internal import Pictures

/// Finds files that are cut off, before they are paid for.
extension PictureService {
    /// Checks that the files of a create are whole. Nearly always, their first and last bytes are enough to tell.
    func checkEnds(of request: TryOnRequest, tenant: String) async throws(GatewayError) {
        for field in PictureField.allCases {
            guard let file = request.base64File(field), let format = request.fileFormat(field) else { continue }
            if let start = file.number(at: 0), let end = file.number(at: file.count - 8),
                PictureEnd.isEvident(format, start: start, end: end, count: file.count)
            {
                continue
            }
            let lease = try await reserve(file.count, for: field.rawValue, tenant)
            defer { lease.shrink(to: 0) }
            let checked: Result<Void, PictureDefect> = try await run { () throws(PictureDefect) in
                guard let bytes = file.decoded() else { throw .noMemory }
                try PictureEnd.check(ByteSlice(bytes, 0..<bytes.count))
            }
            do { try checked.get() } catch { throw GatewayError(error, in: field.rawValue) }
        }
    }

    /// What is wrong with the end of a file; nil if it is whole.
    func endDefect(of file: ByteSlice) async throws(GatewayError) -> PictureDefect? {
        if PictureEnd.isEvident(file) { return nil }
        let checked: Result<Void, PictureDefect> = try await run { () throws(PictureDefect) in
            try PictureEnd.check(file)
        }
        guard case .failure(let defect) = checked else { return nil }
        return defect
    }
}
