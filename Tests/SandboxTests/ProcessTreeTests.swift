import Glibc
import Testing

@testable import Sandbox

@Suite struct `The tree of processes` {
  @Test func `holds all below a process and nothing beside it`() {
    let tree = ProcessTree(parents: [2: 1, 3: 1, 4: 2, 5: 4, 6: 3])
    #expect(tree.descendants(of: 2) == [4, 5])
    #expect(tree.descendants(of: 1) == [2, 3, 4, 5, 6])
    #expect(tree.descendants(of: 6).isEmpty)
  }

  @Test func `is read past a name that looks like fields`() {
    #expect(ProcessTree.parent(inStat: Array("7 (a) S 1) R 42 7 7".utf8)) == 42)
    #expect(ProcessTree.parent(inStat: Array("7 (a".utf8)) == nil)
    #expect(ProcessTree.parent(inStat: Array("7 (a) R".utf8)) == nil)
  }

  @Test func `is signalled as a group only while one of it is below`() throws {
    let child = try Program.start("/bin/sleep", ["sleep", "60"], passing: [])
    Signals.send(Signals.terminate, toGroup: child, below: child)
    Signals.send(Signals.kill, toGroup: child, below: ThisProcess.id)
    var status: Int32 = 0
    while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
    #expect(status & 0x7f == Signals.kill)
  }

  @Test func `knows this process's parent`() {
    #expect(!ProcessTree.now().descendants(of: 1).isEmpty)
  }
}
