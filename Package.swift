// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// A target of ours: strict settings, no unlisted imports.
func part(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name + "Tests",
    dependencies: [.init(stringLiteral: name)] + dependencies,
    swiftSettings: strict
  )
}

func library(_ name: String) -> Target { .systemLibrary(name: name) }

// A sanitizer brings a heap of its own, and of two heaps in one process each would free what is the
// other's: SANITIZE, which `make test SANITIZE=thread` sets, leaves ours out.
let heap: [Target.Dependency] = Context.environment["SANITIZE"] == nil ? ["CJemalloc"] : []

let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let arguments: Target.Dependency = .product(
  name: "ArgumentParser",
  package: "swift-argument-parser"
)
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
  name: "gatehouse",
  dependencies: [
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries: a module map and a shim each.
    library("CLinux"),
    library("COpenSSL"),
    library("CNghttp2"),
    library("CCurl"),
    library("CProtobufC"),
    library("CPCRE2"),
    library("CZlib"),
    library("CCares"),
    library("CSQLite"),
    library("CJemalloc"),

    part("Metrics"),
    part("LogLines"),
    part("TextDiff"),

    // The wire.
    part("Names", ["CCares"]),
    part("EventLoop", ["CLinux", "Metrics", "Names"]),
    part("Crypto", ["COpenSSL"]),
    part("TLS", ["COpenSSL", "Crypto"]),
    part("HTTP2", ["CNghttp2"]),
    part("Compression", ["CZlib"]),
    part("RPC", ["EventLoop", "Crypto", "TLS", "HTTP2", "Compression"]),
    part("Calls"),
    .target(
      name: "Wire",
      dependencies: [protobuf],
      exclude: ["Generated/DIGEST"],
      swiftSettings: [.enableUpcomingFeature("InternalImportsByDefault")]
    ),
    .target(
      name: "WireC",
      dependencies: ["CProtobufC"],
      publicHeadersPath: ".",
      linkerSettings: [.linkedLibrary("protobuf-c")]
    ),
    part("DaemonWire", ["WireC", "CProtobufC"]),

    // The workspace's side.
    .target(name: "CSpawn"),
    part("RegularExpression", ["CPCRE2"]),
    part("Sandbox", ["CLinux", "CSpawn", "EventLoop"]),
    program("gatehouse-toold", ["Crypto", "Daemon", "EventLoop", "LogLines", "Sandbox"]),
    part(
      "Daemon",
      [
        "EventLoop", "Crypto", "TLS", "RPC", "Calls", "DaemonWire", "Sandbox", "CLinux",
        "RegularExpression", "LogLines", "TextDiff",
      ]
    ),

    // The plane's side.
    part("HTTP1"),
    part("Host", heap + ["CLinux"]),
    part("Identity", ["Crypto"]),
    part("PlanePKI", ["Crypto", "Host", "Identity"]),
    part("Ledger", ["CSQLite", "Crypto", "EventLoop", "Host", "LogLines"]),
    part(
      "Broker",
      ["Calls", "Crypto", "EventLoop", "Host", "Identity", "Metrics", "RPC", "Wire", protobuf]
    ),
    part("Providers", ["CCurl", "CLinux"]),
    part("Agent", ["Providers", "Wire", protobuf]),
    part(
      "Plane",
      [
        "EventLoop", "Crypto", "TLS", "RPC", "Calls", "Wire", "HTTP1", "Host", "Identity",
        "PlanePKI", "Broker", "Providers", "Sandbox", "Agent", "Ledger", "Metrics", "LogLines",
        "TextDiff",
        protobuf,
        logging,
        yaml,
      ]
    ),

    // Measures the above beside their peers.
    program(
      "gatehouse-bench",
      [
        "EventLoop", "Crypto", "TLS", "RPC", "Calls", "Wire", "Identity", "Host", "PlanePKI",
        "Sandbox", "Broker", "Ledger", "Plane",
        protobuf, arguments,
      ]
    ),

    // The person's side.
    part("Console", ["CLinux"]),
    program(
      "gatehouse",
      [
        "Client", "Console", "Crypto", "EventLoop", "Host", "Ledger", "LogLines", "Plane",
        "Providers", "Sandbox", "Wire", protobuf, arguments,
      ]
    ),
    part("Client", ["Console", "Crypto", "EventLoop", "Host", "RPC", "TLS", "Wire", protobuf]),

    // gRPC's interop service and client: built with the tests, not installed.
    .executableTarget(
      name: "gatehouse-interop",
      dependencies: ["EventLoop", "Host", "RPC", "TLS", arguments],
      path: "Tests/gatehouse-interop",
      exclude: ["Proto"],
      swiftSettings: strict
    ),

    // What reads bytes of strangers, for libFuzzer and for the replay of its corpus.
    .target(
      name: "FuzzTargets",
      dependencies: ["Calls", "DaemonWire", "HTTP2", "RPC", "Wire", protobuf],
      path: "Tests/Fuzz/Targets",
      swiftSettings: strict
    ),
    tests("FuzzTargets", []),

    // Judges daemons in any language: built with the tests, not installed.
    .executableTarget(
      name: "gatehouse-conformance",
      dependencies: [
        "Broker", "Calls", "Crypto", "EventLoop", "Host", "Plane", "RPC", "TLS", "Wire", protobuf,
        arguments,
      ],
      path: "Tests/gatehouse-conformance",
      swiftSettings: strict
    ),

    tests("EventLoop", ["CLinux"]),
    tests("Crypto", []),
    tests("TLS", ["Crypto", "TestSupport"]),
    tests("HTTP2", []),
    .target(
      name: "TestSupport",
      dependencies: ["Crypto", "TLS"],
      path: "Tests/TestSupport",
      swiftSettings: strict
    ),
    tests("Compression", []),
    tests("RPC", ["EventLoop", "Crypto", "TLS", "HTTP2", "Compression", "Metrics", "TestSupport"]),
    tests("Calls", ["TestSupport", "Wire", protobuf]),
    tests(
      "Broker",
      [
        "Calls", "Crypto", "EventLoop", "Host", "Identity", "Metrics", "RPC", "TLS", "TestSupport",
        "Wire",
        protobuf,
      ]
    ),
    tests("DaemonWire", ["Wire", protobuf]),
    tests("RegularExpression", []),
    tests("Sandbox", ["EventLoop", "TestSupport"]),
    tests(
      "Daemon",
      [
        "Calls", "Crypto", "DaemonWire", "Sandbox", "EventLoop", "RPC", "TLS", "TestSupport",
        "gatehouse-toold",
      ]
    ),
    tests("HTTP1", []),
    tests("Metrics", []),
    tests("LogLines", []),
    tests("TextDiff", []),
    tests("Host", []),
    tests("Identity", ["Crypto"]),
    tests("PlanePKI", ["Crypto", "Host", "Identity"]),
    tests("Ledger", ["Crypto", "EventLoop", "Host"]),
    tests(
      "Plane",
      [
        "EventLoop", "Crypto", "TLS", "RPC", "Wire", "HTTP1", "Host", "Identity", "PlanePKI",
        "Providers", "Sandbox", "gatehouse-toold", "Broker", "Calls", "Metrics", "LogLines",
        "Agent", "Ledger", protobuf, logging,
      ]
    ),
    tests("Providers", []),
    tests("Agent", ["Providers", "Wire", protobuf]),
    tests("gatehouse-bench", []),
    tests("gatehouse", ["gatehouse-toold", "Client", "Host", "LogLines", "Wire", protobuf]),
    tests("Client", ["Console", "Crypto", "RPC", "Wire", protobuf]),
  ],
  swiftLanguageModes: [.v6]
)

// `make fuzz` alone: its `main` is libFuzzer's.
if Context.environment["GATEHOUSE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "gatehouse-fuzz",
      dependencies: ["FuzzTargets"],
      path: "Tests/Fuzz/Program",
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]
    )
  )
}
