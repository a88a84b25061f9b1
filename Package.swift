// swift-tools-version: 6.2
import PackageDescription

// Dependencies point one way: executable → gateway → HTTP → wrapper → C module. A target lists only what it uses.

/// The settings of our own code: every unsafe line is marked, and every warning is an error.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    // Specializes generic code across modules. Without it, every lock goes through run-time metadata.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    // Whether two accesses to a variable of an object overlap is checked at run time in debug builds, and so in every
    // test, but not here: a create made 210 such checks, 6 % of its instructions.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// tcmalloc replaces malloc. A sanitizer brings its own allocator, and sees only memory from that.
let hasTCMalloc = Context.environment["SANITIZED"] == nil
let allocator: [Target.Dependency] = hasTCMalloc ? ["CTCMalloc"] : []
let allocatorFlag: [SwiftSetting] = hasTCMalloc ? [.define("TCMALLOC")] : []

/// The settings of tests, which may call C freely. The language mode and the warnings are the same.
let tests: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// A system library: the module that imports it, its name for pkg-config, and its Debian package.
func library(_ name: String, _ pkgConfig: String?, apt package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
    name: "kling-gateway",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        library("CLibevent", "libevent_core", apt: "libevent-dev"),
        library("CCurl", "libcurl", apt: "libcurl4-openssl-dev"),
        library("COpenSSL", "openssl", apt: "libssl-dev"),
        library("CLibJPEG", "libjpeg", apt: "libjpeg-dev"),
        .target(name: "CJPEG", dependencies: ["CLibJPEG"]),
        // Embeds the console's files, which needs C23's #embed.
        .target(name: "CConsole", exclude: ["files"], cSettings: [.unsafeFlags(["-std=c23"])]),
        // Used by tests only.
        library("CTurboJPEG", "libturbojpeg", apt: "libturbojpeg0-dev"),
        library("CPNG", "libpng", apt: "libpng-dev"),
        library("CWebP", "libwebp", apt: "libwebp-dev"),
        library("CLCMS2", "lcms2", apt: "liblcms2-dev"),
        library("CZlib", "zlib", apt: "zlib1g-dev"),
        library("CXXHash", "libxxhash", apt: "libxxhash-dev"),
        library("CSQLite", "sqlite3", apt: "libsqlite3-dev"),
        // Loads libpq at run time, so it is not linked. The headers are needed to check the functions' types.
        .target(name: "CPostgreSQL", cSettings: [.unsafeFlags(["-I/usr/include/postgresql"])]),
        library("CTCMalloc", nil, apt: "libgoogle-perftools-dev"),
        .systemLibrary(name: "CProcess"),

        .target(name: "Base", swiftSettings: strict),
        .target(name: "Hashing", dependencies: ["Base", "CXXHash"], swiftSettings: strict),
        .target(name: "EventLoop", dependencies: ["Base", "CLibevent"], swiftSettings: strict),
        .target(name: "Sockets", dependencies: ["Base", "COpenSSL"], swiftSettings: strict),
        .target(name: "HTTPServer", dependencies: ["Base", "EventLoop", "Sockets", "COpenSSL"], swiftSettings: strict),
        .target(
            name: "HTTPClient", dependencies: ["Base", "EventLoop", "Sockets", "CCurl", "COpenSSL"],
            swiftSettings: strict),
        .target(name: "KlingAPI", dependencies: ["Base", crypto], swiftSettings: strict),
        .target(
            name: "Pictures", dependencies: ["Base", "CJPEG", "CPNG", "CWebP", "CLCMS2", "CZlib"],
            swiftSettings: strict),
        .target(name: "PostgreSQL", dependencies: ["Base", "CPostgreSQL"], swiftSettings: strict),
        .target(
            name: "TaskStore",
            dependencies: [
                "Base", "CSQLite", "Hashing", "PostgreSQL", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "GatewayConfiguration",
            dependencies: [
                "Base", "HTTPServer", "KlingAPI", crypto, logging, .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .target(
            name: "Gateway",
            dependencies: [
                "Base", "CConsole", "EventLoop", "GatewayConfiguration", "Hashing", "HTTPServer", "KlingAPI",
                "Pictures", "TaskStore", crypto, logging,
            ],
            swiftSettings: strict),

        .target(
            name: "KlingSimulator", dependencies: ["Base", "EventLoop", "HTTPServer", "HTTPClient", "KlingAPI"],
            swiftSettings: strict),
        .executableTarget(
            name: "kling-gateway",
            dependencies: [
                "Base", "EventLoop", "HTTPServer", "HTTPClient", "KlingAPI", "Pictures", "TaskStore", "Gateway",
                "GatewayConfiguration", "KlingSimulator", "CProcess",
                logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + allocator,
            swiftSettings: strict + allocatorFlag,
            linkerSettings: [
                // With static Swift libraries, the program would export every symbol, which keeps all of Foundation in
                // it. LLVM's linker also folds identical functions, and packs the 100,000 relocations, which are read
                // at each start. Together, this saves 6 MB of resident memory at idle. Packed relocations need glibc
                // 2.36.
                .unsafeFlags(
                    ["--no-export-dynamic", "--icf=safe", "-z", "pack-relative-relocs"].flatMap { ["-Xlinker", $0] }
                        + ["-use-ld=lld", "-Xclang-linker", "-static-libgcc"],
                    .when(platforms: [.linux], configuration: .release))
            ]),

        .target(
            name: "TestKit", dependencies: ["Base", "EventLoop"], path: "Tests/TestKit",
            // C that tests compile themselves, to load it into the gateway.
            exclude: ["PowerCut/Library"], swiftSettings: tests),
        .testTarget(name: "TestKitTests", dependencies: ["TestKit"], swiftSettings: tests),
        .testTarget(name: "BaseTests", dependencies: ["Base"], swiftSettings: tests),
        .testTarget(name: "HashingTests", dependencies: ["Base", "Hashing"], swiftSettings: tests),
        .testTarget(
            name: "EventLoopTests", dependencies: ["Base", "EventLoop", "CLibevent"], swiftSettings: tests),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: ["Base", "EventLoop", "HTTPServer", "Sockets", "COpenSSL", "TestKit"],
            swiftSettings: tests),
        .testTarget(
            name: "HTTPClientTests", dependencies: ["Base", "EventLoop", "HTTPClient", "COpenSSL", "TestKit"],
            swiftSettings: tests),
        .testTarget(name: "KlingAPITests", dependencies: ["Base", "KlingAPI", crypto], swiftSettings: tests),
        .testTarget(
            name: "PicturesTests", dependencies: ["Base", "Pictures", "CTurboJPEG", "CPNG", "CWebP", "TestKit"],
            swiftSettings: tests),
        .testTarget(
            name: "TaskStoreTests",
            dependencies: ["Base", "Hashing", "TaskStore", "TestKit", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: tests),
        .testTarget(
            name: "KlingSimulatorTests",
            dependencies: ["Base", "EventLoop", "HTTPClient", "HTTPServer", "KlingAPI", "KlingSimulator"],
            swiftSettings: tests),
        .testTarget(
            name: "GatewayConfigurationTests", dependencies: ["Base", "GatewayConfiguration", "TestKit"],
            swiftSettings: tests),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Base", "EventLoop", "Hashing", "HTTPServer", "KlingAPI", "Pictures", "TaskStore", "Gateway",
                "GatewayConfiguration", "TestKit", crypto, logging,
            ],
            swiftSettings: tests),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Base", "EventLoop", "Gateway", "HTTPServer", "KlingAPI", "KlingSimulator", "Pictures", "TaskStore",
                "TestKit", "kling-gateway", crypto,
            ],
            swiftSettings: tests),
        .testTarget(
            name: "TortureTests",
            dependencies: [
                "Base", "EventLoop", "HTTPClient", "HTTPServer", "KlingAPI", "TaskStore", "TestKit", "kling-gateway",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: tests),
    ],
    swiftLanguageModes: [.v6]
)
