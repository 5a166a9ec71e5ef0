"""`gatehouse-toold` on whole systems of others, made by `systems` in .build-systems; `make test-systems`. Not found by `run`."""
import pathlib, tempfile, unittest
from jail import TOP, Jail, Plane

SYSTEMS = TOP / ".build-systems"


class OnASystemOfItsOwn:
    """What is asked of each; `system` is its folder, `release` what its own shell says of it."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        folder = pathlib.Path(cls.temporary.name)
        cls.plane = Plane(folder)
        cls.addClassCleanup(cls.plane.close)
        cls.jail = Jail(cls.plane, folder, cls.system, proc=True, system=SYSTEMS / cls.system)
        cls.addClassCleanup(cls.jail.close)
        cls.jail.start()
        cls.jail.log.wait_for('"event":"enrolled"')
        cls.jail.log.wait_for('"event":"link_up"')

    def run_there(self, *words):
        return self.plane.run("exec", self.system, "--", *words)

    def test_runs_the_programs_of_that_system(self):
        self.assertEqual(self.run_there("/bin/sh", "-c", self.release), (0, self.said, ""))

    def test_has_their_exit_codes_and_both_outputs(self):
        self.assertEqual(self.run_there("/bin/sh", "-c", "echo out; echo err >&2; exit 3"), (3, "out\n", "err\n"))

    def test_carries_a_mebibyte(self):
        code, output, talk = self.run_there("/bin/sh", "-c", "yes x | tr -d '\\n' | head -c 1048576")
        self.assertEqual((code, len(output), set(output), talk), (0, 1 << 20, {"x"}, ""))

    def test_ends_all_that_a_command_started(self):
        code, _, talk = self.plane.run(
            "exec", self.system, "--timeout", "1", "--", "/bin/sh", "-c", "sleep 4711 & setsid sleep 4711")
        self.assertEqual(code, 124, talk)
        left = [p for p in pathlib.Path("/proc").glob("[0-9]*/cmdline") if b"sleep\x004711" in read(p)]
        self.assertEqual(left, [])

    def test_reads_and_searches_files(self):
        self.assertEqual(self.run_there("/bin/sh", "-c", "echo here > note")[0], 0)
        code, output, talk = self.plane.run(
            "call", "invoke", self.system, "files.read", "--request", '{"path": "bm90ZQ=="}')
        self.assertEqual(code, 0, talk)
        self.assertIn("aGVyZQo=", output)


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has ended meanwhile


class OnDebian11(OnASystemOfItsOwn, unittest.TestCase):
    system = "debian-11"
    release = "cut -d. -f1 /etc/debian_version; /bin/ls --version | head -n 1"
    said = "11\nls (GNU coreutils) 8.32\n"


class OnMusl(OnASystemOfItsOwn, unittest.TestCase):
    system = "musl"
    release = "/lib/ld-musl-x86_64.so.1 2>&1 | head -n 1; ls -d /lib/*.so*"
    said = "musl libc (x86_64)\n/lib/ld-musl-x86_64.so.1\n/lib/libc.so\n"
