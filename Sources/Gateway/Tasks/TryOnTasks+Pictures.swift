internal import Base
internal import EventLoop
internal import KlingAPI
internal import TaskStore

/// Pictures that an account wants otherwise than clients send them. Where it does not, nothing of this costs anything.
extension TryOnTasks {
    /// What `account` is sent for a request, under that id.
    func body(
        of request: TryOnRequest, _ id: TaskID, _ tenant: String, for account: Account, on loop: EventLoop
    ) async throws(GatewayError) -> [ByteSlice] {
        if account.normalizesPictures, let body = try await normalized(request, id, tenant, on: loop) { return body }
        return request.upstreamBody(externalTaskID: id.description, callbackURL: callbackURL(of: id))
    }

    /// What `account` is sent for a create.
    func body(of create: Create, for account: Account) async throws(GatewayError) -> [ByteSlice] {
        guard account.normalizesPictures else { return create.body }
        return try await normalized(create.request, create.id, create.principal.tenant, on: create.loop) ?? create.body
    }

    /// What `account` is sent for a task that has waited, whose `body` was kept.
    func body(
        _ body: [ByteSlice], of entry: QueuedTask, for account: Account
    ) async throws(GatewayError) -> [ByteSlice] {
        guard account.normalizesPictures, let block = body.first?.bytes else { return body }
        // It was checked before it was kept, and is what it was.
        guard let request = try? await TryOnRequest.parse(block, models: TryOnModels(adding: [entry.model])) else {
            return body
        }
        return try await normalized(request, entry.task, entry.tenant, on: background.loop) ?? body
    }

    /// - Returns: nil if the pictures can stay as they are.
    private func normalized(
        _ request: TryOnRequest, _ id: TaskID, _ tenant: String, on loop: EventLoop
    ) async throws(GatewayError) -> [ByteSlice]? {
        guard let pictures = try await pictures?.replacements(for: request, tenant: tenant, on: loop),
            pictures.human != nil || pictures.cloth != nil
        else { return nil }
        return request.upstreamBody(
            externalTaskID: id.description, callbackURL: callbackURL(of: id), replacements: pictures)
    }
}
