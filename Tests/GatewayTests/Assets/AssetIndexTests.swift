import Base
import Testing

@testable import Gateway

struct AssetIndexTests {
    private let one = AssetOwner(tenant: "one")
    private let other = AssetOwner(tenant: "other")

    private func asset(_ owner: AssetOwner, _ bytes: Int = 10, at time: Int64 = 0) -> Asset {
        Asset(.jpeg, owner: owner, bytes: bytes, createdAt: time)
    }

    private func index(ownCount: Int = 9, ownBytes: Int = 90, count: Int = 9, bytes: Int = 90) -> AssetIndex {
        AssetIndex(AssetBounds(lifetime: 1_000, ownCount: ownCount, ownBytes: ownBytes, count: count, bytes: bytes))
    }

    @Test func `an asset is found only by its owner, until it expires`() {
        var index = index()
        let asset = asset(one, at: 5)
        #expect(index.admit(asset) == [])
        #expect(index.find(asset.name, of: one, now: 1_004) == asset)
        #expect(index.find(asset.name, of: other, now: 6) == nil)
        #expect(index.find(asset.name, of: one, now: 1_005) == nil)
        #expect(index.expire(now: 1_004) == [])
        #expect(index.expire(now: 1_005) == [asset])
        #expect((index.count, index.bytes) == (0, 0))
    }

    @Test func `an asset dated in the future does not keep later ones from expiring`() {
        var index = index()
        let (ahead, one) = (asset(one, at: 900_000), asset(one, at: 5))
        #expect(index.admit(ahead) + index.admit(one) == [])
        #expect(index.expire(now: 1_005) == [one])
        #expect(index.find(ahead.name, of: ahead.owner, now: 1_005) == ahead)
    }

    @Test func `a tenant's oldest assets are evicted for its newer ones, by count and by size`() {
        var byNumber = index(ownCount: 2)
        let assets = (0..<3).map { asset(one, at: Int64($0)) }
        #expect(assets.map { byNumber.admit($0) } == [[], [], [assets[0]]])
        #expect(byNumber.count == 2)
        var bySize = index(ownBytes: 30)
        let large = asset(one, 25, at: 9)
        #expect(assets.map { bySize.admit($0) } == [[], [], []])
        #expect(bySize.admit(large) == assets)
        #expect(bySize.bytes == 25)
    }

    @Test func `when all room is taken, the tenant with the most loses its oldest asset`() {
        var index = index(bytes: 50)
        let mine = (0..<4).map { asset(one, at: Int64($0)) }
        for asset in mine { #expect(index.admit(asset) == []) }
        let first = asset(other, at: 10)
        let second = asset(other, at: 11)
        #expect(index.admit(first) == [])
        #expect(index.admit(second) == [mine[0]])
        #expect(index.find(first.name, of: other, now: 12) == first)
        var crowded = self.index(count: 1)
        #expect(crowded.admit(mine[0]) == [])
        #expect(crowded.admit(mine[1]) == [mine[0]])
    }

    @Test func `a removed asset is not found`() {
        var index = index()
        let asset = asset(one)
        _ = index.admit(asset)
        index.remove(asset)
        index.remove(asset)
        #expect(index.find(asset.name, of: one, now: 0) == nil)
        #expect((index.count, index.bytes) == (0, 0))
    }

    @Test func `names are unique, and a file name restores its asset`() throws {
        let assets = (0..<100).map { _ in Asset(.png, owner: one, bytes: 7, createdAt: 1_745_376_611_075) }
        #expect(Set(assets.map(\.name)).count == 100)
        for asset in assets {
            #expect(asset.name.utf8.count == 36 && PictureFormat.isLinkName(asset.name[...]))
            #expect(Asset(file: asset.file, bytes: 7) == asset)
            #expect(Asset(file: asset.draft, bytes: 7) == nil)
        }
        #expect(assets[0].mediaType == "image/png")
        #expect(Asset(.jpeg, owner: one, bytes: 7, createdAt: 0).mediaType == "image/jpeg")
    }

    @Test(arguments: ["", "a-1-b", "gateway.db", "..-1-x.jpg", "-1-.jpg"])
    func `other file names are not assets`(name: String) { #expect(Asset(file: name, bytes: 1) == nil) }

    @Test func `a link to an asset is recognized by the end of its path, at any base URL`() throws {
        let asset = asset(one)
        for base in ["http://gateway:8080", "https://TryOn.example.com", "https://example.com/try"] {
            let link = try #require(AssetLink(AssetLink.url(of: asset, base: base)))
            #expect(link.name == asset.name)
            #expect(link.leads(to: ["http://elsewhere", base]))
            #expect(!link.leads(to: ["http://elsewhere"]))
        }
        #expect(AssetLink("https://a.example/v1/kling/assets/\(asset.name)?x=1")?.name == asset.name)
        for other in [
            "https://a.example/v1/kling/assets/", "https://a.example/v1/kling/assets/person.jpg",
            "https://a.example/\(asset.name)", "https://a.example/v1/kling/assets/\(asset.name)/x",
            "https://a.example/?v1/kling/assets/\(asset.name)",
        ] { #expect(AssetLink(other) == nil, "\(other)") }
    }
}
