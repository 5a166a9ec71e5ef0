"""`gatehouse-toold` as one static file: where there is nothing but it."""
import os, pathlib, shutil, socket, struct, subprocess, tempfile, threading, unittest
from jail import DAEMON, Jail, Plane, enter

MEGABYTE = 1_000_000


class TheFile(unittest.TestCase):
    def test_is_small_enough(self):
        self.assertLessEqual(DAEMON.stat().st_size, 12 * MEGABYTE)

    def test_asks_for_no_loader_and_no_library(self):
        kinds = {kind for kind, *_ in segments(DAEMON.read_bytes())}
        self.assertIn(1, kinds)  # PT_LOAD
        self.assertFalse(kinds & {2, 3}, "PT_DYNAMIC or PT_INTERP")

    def test_has_no_segment_to_write_and_execute(self):
        self.assertFalse([flags for _, flags in segments(DAEMON.read_bytes()) if flags & 3 == 3])

    def test_holds_nothing_of_libcs_plugins(self):
        self.assertNotIn(b"libnss_", DAEMON.read_bytes())

    def test_starts_where_there_is_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(DAEMON, folder)
            done = subprocess.run(
                enter(folder) + ["/gatehouse-toold", "--version"], capture_output=True, text=True)
            self.assertEqual((done.stdout, done.stderr), ("gatehouse-toold/0.1\n", ""))


def segments(elf):
    """Type and flags of each (elf(5), 64 bits, little-endian)."""
    offset, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    return [struct.unpack_from("<II", elf, offset + index * size) for index in range(count)]


class InARootOfItsOwn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.plane = Plane(cls.folder)
        cls.addClassCleanup(cls.plane.close)
        cls.probe = cls.folder / "probe"
        subprocess.run(
            ["cc", "-static", "-O1", "-o", cls.probe, pathlib.Path(__file__).with_name("probe.c")], check=True)

    def jail(self, name, proc=False):
        jail = Jail(self.plane, self.folder, name, proc)
        self.addCleanup(jail.close)
        return jail

    def test_enrolls_links_and_serves_files(self):
        jail = self.jail("empty")
        jail.write("work/note", "here\n")
        jail.start()
        jail.log.wait_for('"event":"enrolled"')
        jail.log.wait_for('"event":"link_up"')
        code, output, talk = self.plane.run(
            "call", "invoke", "empty", "files.read", "--request", '{"path": "bm90ZQ=="}')
        self.assertEqual(code, 0, talk)
        self.assertIn("aGVyZQo=", output)
        # A pattern, without PCRE2's compiler to machine code: the file leaves it out.
        code, output, talk = self.plane.run(
            "call", "invoke", "empty", "files.search", "--request", r'{"pattern": "^(h|x)e\\w+$"}')
        self.assertEqual(code, 0, talk)
        self.assertIn("aGVyZQ==", output)

    def test_links_again_with_the_certificate_it_has(self):
        jail = self.jail("again")
        jail.start()
        jail.log.wait_for('"event":"link_up"')
        jail.close()
        (jail.root / "state").chmod(0o700)
        process = subprocess.Popen(
            enter(jail.root) + ["/gatehouse-toold", "--state", "/state", "--root", "/work", "--ca", "/ca.pem"],
            stderr=subprocess.PIPE, text=True, env={})
        jail.process = process
        line = process.stderr.readline()
        while line and '"event":"link_up"' not in line:
            self.assertNotIn('"event":"enrolled"', line)
            line = process.stderr.readline()
        self.assertIn('"event":"link_up"', line)

    def test_keeps_to_its_own_threads(self):
        jail = self.jail("threads")
        jail.write("etc/hosts", "127.0.0.1 plane.test\n")
        jail.start(address="plane.test:" + self.plane.open.split(":")[1])
        jail.log.wait_for('"event":"dial_failed"')
        tasks = pathlib.Path(f"/proc/{jail.process.pid}/task").iterdir()
        names = {(task / "comm").read_text().strip() for task in tasks}
        # libdispatch's would end the process: they read /proc of each other.
        self.assertEqual(names, {"gatehouse-toold", "daemon", "names"})

    def test_says_that_commands_need_proc(self):
        jail = self.jail("no-proc")
        jail.start()
        jail.log.wait_for('"event":"link_up"')
        code, output, talk = self.plane.run("exec", "no-proc", "--", "/gatehouse-toold", "--version")
        self.assertEqual((code, output), (125, ""))
        self.assertIn("commands need /proc", talk)

    def test_runs_commands_under_its_own_supervisor(self):
        jail = self.jail("commands", proc=True)
        shutil.copy(self.probe, jail.root / "probe")
        jail.start()
        jail.log.wait_for('"event":"link_up"')
        self.assertEqual(self.plane.run("exec", "commands", "--", "/probe", "say", "hello"), (0, "hello\n", ""))
        self.assertEqual(self.plane.run("exec", "commands", "--", "/probe", "leave", "7")[0], 7)
        self.assertEqual(self.plane.run("exec", "commands", "--", "/no-such-program")[0], 127)

    def test_kills_all_that_a_command_started(self):
        jail = self.jail("tree", proc=True)
        program = f"/probe-{os.getpid()}"
        shutil.copy(self.probe, jail.root / program[1:])
        jail.start()
        jail.log.wait_for('"event":"link_up"')
        code, _, talk = self.plane.run("exec", "tree", "--timeout", "1", "--", program, "wait")
        self.assertEqual(code, 124, talk)
        self.assertEqual(running(program), [])

    def test_hides_its_key_from_commands(self):
        jail = self.jail("hidden", proc=True)
        jail.start()
        sandbox = jail.log.wait_for(r'"event":"started".*"sandbox":"?([^",}]+)')[1]
        jail.log.wait_for('"event":"link_up"')
        if sandbox == "none":
            self.skipTest("this kernel has no Landlock")
        # It reads the file that it is given as an authority, or says why it cannot.
        _, _, talk = self.plane.run(
            "exec", "hidden", "--", "/gatehouse-toold", "--state", "/work/s", "--root", "/work",
            "--ca", "/state/identity")
        self.assertIn("Permission denied", talk)

    def test_finds_names_in_the_hosts_file(self):
        jail = self.jail("hosts")
        jail.write("etc/hosts", "127.0.0.1 plane.test\n")
        jail.start(address="plane.test:" + self.plane.open.split(":")[1])
        # The name leads to the plane, whose certificate is for other names.
        self.assertIn("certificate", jail.log.wait_for('"event":"dial_failed"(.*)')[1])

    def test_asks_the_name_server_of_resolv_conf(self):
        try:
            server = NameServer("127.53.53.53", answering="127.0.0.1")
        except PermissionError:
            self.skipTest("port 53 is for root here")
        self.addCleanup(server.close)
        jail = self.jail("resolv")
        jail.write("etc/resolv.conf", f"nameserver {server.at}\n")
        jail.start(address="plane.test:" + self.plane.open.split(":")[1])
        self.assertIn("certificate", jail.log.wait_for('"event":"dial_failed"(.*)')[1])
        self.assertIn(b"\5plane\4test\0", server.asked)

    def test_knows_its_own_machine_without_any_file(self):
        jail = self.jail("localhost")
        jail.start(address="localhost:" + self.plane.open.split(":")[1])
        jail.log.wait_for('"event":"link_up"')

    def test_says_what_is_missing_when_nobody_knows_the_name(self):
        jail = self.jail("nobody")
        jail.write("etc/resolv.conf", "nameserver 127.53.53.54\n")
        jail.start(address="plane.test:1")
        said = jail.log.wait_for('"event":"dial_failed"(.*)')[1]
        self.assertIn("no address for 'plane.test': no name server answered", said)


def running(program):
    """The processes whose first word is `program`."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().split(b"\0")[0] == program.encode():
                found.append(int(folder.name))
        except OSError:
            pass  # it has ended meanwhile
    return found


class NameServer:
    """Says that each name is at `answering` (RFC 1035), at an address of the loopback interface."""

    def __init__(self, at, answering):
        self.at, self.address, self.asked = at, socket.inet_aton(answering), b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((at, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                query, asker = self.socket.recvfrom(512)
            except OSError:
                return
            end = query.index(0, 12) + 5
            self.asked += query[12:end]
            is_v4 = query[end - 3] == 1
            head = query[:2] + bytes([0x81, 0x80, 0, 1, 0, int(is_v4), 0, 0, 0, 0]) + query[12:end]
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + self.address
            self.socket.sendto(head + (record if is_v4 else b""), asker)

    def close(self):
        self.socket.close()
