public import TaskStore

/// Where a gateway keeps bodies that are too large for records: files of its own, or a store that several gateways
/// share.
public struct Bodies: Sendable {
    /// Those of queued creates; nil: there is no queue.
    var queued: (any QueuedBodies)?
    /// What tenants upload; nil: nothing can be uploaded.
    var uploads: (any Uploads)?
    /// The pictures that Kling gets as links; nil: there are none.
    var hosted: (any PictureHost)?

    /// No bodies are kept.
    public init() {}

    /// Keeps bodies in folders, which are created if they don't exist. Blocks on the disk.
    /// - Throws: why the gateway can't use a folder, in words for the operator.
    public init(
        spool: String?, assets: String, pictures: String, bounds: HostedPictureBounds, clock: GuardedClock
    ) throws(SpoolError) {
        queued = if let spool { try Spool(spool) } else { nil }
        uploads = try AssetStore(assets, clock: clock)
        hosted = try HostedPictures(pictures, bounds: bounds, clock: clock)
    }

    /// Keeps bodies in a store.
    /// - Parameter queue: the bounds of the queue; nil: there is none.
    public init(
        in blobs: any BlobStore, queue: QueueBounds?, bounds: HostedPictureBounds, clock: GuardedClock
    ) {
        queued = queue.map { SharedSpool(blobs, $0, clock) }
        uploads = SharedAssetStore(blobs, AssetBounds(), clock)
        hosted = SharedHostedPictures(blobs, bounds, clock)
    }
}
