import Base
import KlingAPI
import Testing

struct LinkHostTests {
    @Test(arguments: [
        ("https://Shop.example:8443/a?b@c", "shop.example"), ("http://user:pass@shop.example#c", "shop.example"),
        ("HTTP://shop.example.?a", "shop.example"), ("http://[::1]:80/x", "::1"), ("http://a@b@c\\d", "c"),
        ("ftp://a", nil), ("https://", nil), ("https:///a", nil), ("//a", nil), ("", nil),
    ])
    func `the host is found among the other parts of a link`(link: String, host: String?) {
        #expect(LinkHost.of(link) == host)
    }

    @Test(arguments: [
        "127.0.0.1", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "017700000001", "0", "0.0.0.0", "0x",
        "10.1.2.3", "192.168.1.1", "172.16.0.1", "172.31.255.255", "169.254.169.254", "100.64.0.1", "192.168.257",
        "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::7f00:1",
        "localhost", "api.localhost", "nas.local", "minio.internal", "minio",
    ])
    func `a host of a local network is recognized in every notation`(host: String) { #expect(LinkHost.isLocal(host)) }

    @Test(arguments: [
        "8.8.8.8", "134744072", "0x08.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:808:808", "shop.example",
        "127.0.0.1.example", "localhost.example", "local.example", "1.2.3.4.5", "256.256.256.256", "127.0.0.0x1g.a",
        "08.1.1.1", "+1.1.1.1", "xn--bcher-kva.example",
    ])
    func `any other host may be public`(host: String) { #expect(!LinkHost.isLocal(host)) }
}
