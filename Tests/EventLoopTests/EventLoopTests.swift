import Glibc
import Synchronization
import Testing

@testable import EventLoop

@Suite(.timeLimit(.minutes(5))) struct `Event loop` {
  /// Lives on a loop, as connections do.
  private actor Resident {
    let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor }
    private var calls = 0

    init(on loop: EventLoop) { self.loop = loop }

    func call() -> (isOnLoop: Bool, calls: Int) {
      calls += 1
      return (loop.isCurrent, calls)
    }
  }

  @Test func `an actor of the loop runs on its thread`() async throws {
    let loop = try EventLoop(name: "test")
    let resident = Resident(on: loop)
    for number in 1...100 { #expect(await resident.call() == (true, number)) }
    #expect(!loop.isCurrent)
    loop.stop()
  }

  @Test func `actions run in the order they were handed over`() async throws {
    let loop = try EventLoop(name: "test")
    let order = Recorder()
    await withCheckedContinuation { done in
      for number in 0..<1_000 { loop.execute { order.note(number) } }
      loop.execute { done.resume() }
    }
    #expect(order.notes == Array(0..<1_000))
    loop.stop()
  }

  @Test func `a timer fires on the loop, at its time or later`() async throws {
    let loop = try EventLoop(name: "test")
    let start = ContinuousClock.now
    let (isOnLoop, fired) = await withCheckedContinuation { continuation in
      loop.execute {
        loop.schedule(after: .milliseconds(5)) {
          continuation.resume(returning: (loop.isCurrent, ContinuousClock.now))
        }
      }
    }
    #expect(isOnLoop)
    #expect(fired >= start + .milliseconds(5))
    loop.stop()
  }
}

@Suite(.timeLimit(.minutes(5))) struct `Worker pool` {
  @Test func `work runs off the caller's thread and gives its value`() async throws {
    let pool = WorkerPool(name: "test", threads: 2)
    let caller = Thread.currentID
    let (value, thread) = try await pool.run { (42, Thread.currentID) }
    #expect(value == 42)
    #expect(thread != caller)
  }

  @Test func `a full queue is said at once`() async throws {
    let pool = WorkerPool(name: "test", threads: 0, maxQueued: 1)
    try pool.submit {}
    #expect(throws: WorkerPool.Refused.self) { try pool.submit {} }
  }

  @Test func `what no thread could be started for is not taken, and what comes then is`()
    async throws
  {
    let hasFailed = Flag()
    let pool = WorkerPool(name: "test", threads: 1) { name, body throws(SystemError) in
      guard hasFailed.isSet else {
        hasFailed.set()
        throw SystemError("start a thread", code: EAGAIN)
      }
      try Thread.start(named: name, body)
    }
    let done = AsyncStream<Int>.makeStream()
    #expect(throws: WorkerPool.Refused.self) { try pool.submit { done.continuation.yield(1) } }
    try pool.submit { done.continuation.yield(2) }
    for await number in done.stream.prefix(1) { #expect(number == 2) }
  }

  @Test func `what was taken is done after the close, and nothing more is taken`() async throws {
    let done = AsyncStream<Int>.makeStream()
    let isClosed = Flag()
    do {
      let pool = WorkerPool(name: "test", threads: 1)
      try pool.submit { while !isClosed.isSet {} }
      for number in 1...3 { try pool.submit { done.continuation.yield(number) } }
      pool.close()
      let error = #expect(throws: WorkerPool.Refused.self) { try pool.submit {} }
      #expect(error?.isClosed == true)
    }
    isClosed.set()
    var numbers: [Int] = []
    for await number in done.stream.prefix(3) { numbers.append(number) }
    #expect(numbers == [1, 2, 3])
  }
}

private final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

@Suite struct `Addresses` {
  @Test(arguments: [
    ("localhost:7443", "localhost", 7443), ("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:80", "::1", 80),
  ])
  func `HOST:PORT is read as people write it`(text: String, host: String, port: Int) {
    #expect(HostPort(text) == HostPort(host: host, port: UInt16(port)))
    #expect(HostPort(text)?.description == text)
  }

  @Test(arguments: ["", "host", ":1", "host:", "host:65536", "::1:80", "host:x"])
  func `anything else is refused`(text: String) {
    #expect(HostPort(text) == nil)
  }

  @Test func `a name that does not resolve is named`() {
    let error = #expect(throws: ResolutionError.self) {
      try SocketAddress.resolve("no-such-host.invalid", port: 1)
    }
    #expect(error?.host == "no-such-host.invalid")
  }

  @Test func `an address in use is named`() throws {
    let first = try Socket.listening(on: SocketAddress.resolve("127.0.0.1", port: 0)[0])
    let address = first.localAddress
    let taken = try #require(address)
    let error = #expect(throws: SystemError.self) { _ = try Socket.listening(on: taken) }
    #expect(error?.description.contains("\(taken)") == true)
  }
}

@Suite struct `Event loop, in a process of its own` {
  @Test func `touching it from another thread is caught`() async {
    await #expect(processExitsWith: .failure) {
      let loop = try EventLoop(name: "test")
      loop.schedule(after: .seconds(1)) {}
    }
  }
}
