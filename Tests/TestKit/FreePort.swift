/// A port of this machine that is not in use. It is outside of the range that the system hands out, so that no other
/// test gets it while its server is down.
public func freePort() throws -> UInt16 {
    for _ in 0..<100 {
        let port = UInt16.random(in: 10_000..<30_000)
        if (try? RawClient(port: port)) == nil { return port }
    }
    throw TestKitError("no free port was found")
}
