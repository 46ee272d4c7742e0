#!/usr/bin/env python3
"""The checker checked: a small tree breaks each rule once, and each breach must be found; a clean tree passes."""
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import check  # noqa: E402


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def assertOneFault(self, faults, *words):
        self.assertEqual(len(faults), 1, faults)
        for word in words:
            self.assertIn(word, faults[0])

    def test_lower_floors_and_the_own_folder_may_be_included(self):
        self.write("src/tcp/a.cpp", '#include "finwait/tcp/a.h"\n#include "finwait/base/time.h"\n#include "finwait/flow/x.h"\n#include <vector>\n')
        self.assertEqual(check.check_floors(self.root), [])

    def test_a_higher_floor_may_not(self):
        self.write("include/finwait/base/a.h", '// a\n#include "finwait/tcp/a.h"\n')
        self.assertOneFault(check.check_floors(self.root), "include/finwait/base/a.h:2", "base", "tcp")

    def test_not_even_by_way_of_a_relative_path(self):
        self.write("src/wire/a.cpp", '#include "../report/a.h"\n')
        self.assertOneFault(check.check_floors(self.root), "src/wire/a.cpp:1")

    def test_neighbours_do_not_include_each_other(self):
        self.write("src/flow/a.cpp", '#include "finwait/capture/a.h"\n')
        self.assertOneFault(check.check_floors(self.root), "flow", "capture")

    def test_libpcap_belongs_to_capture(self):
        self.write("src/capture/a.cpp", "#include <pcap/pcap.h>\n")
        self.assertEqual(check.check_floors(self.root), [])
        self.write("src/engine/a.cpp", "#include <pcap/pcap.h>\n")
        self.assertOneFault(check.check_floors(self.root), "src/engine/a.cpp:1", "only capture")

    def test_program_options_belong_to_app(self):
        self.write("src/report/a.cpp", "#include <boost/program_options.hpp>\n")
        self.assertOneFault(check.check_floors(self.root), "only app")

    def test_a_folder_that_is_no_floor_is_a_fault(self):
        self.write("src/util/a.cpp", "// a\n")
        self.assertOneFault(check.check_floors(self.root), "no floor")

    def test_every_file_has_a_head(self):
        self.write("src/base/good.cpp", "// What it is.\n")
        self.write("tools/good.py", '#!/usr/bin/env python3\n"""What it is."""\n')
        self.write("src/base/described.cpp", '#include "finwait/base/described.h"\n')
        self.write("tests/base/described_test.cpp", '#include "finwait/base/described.h"\n')
        self.write("src/app/beside.cpp", '#include "beside.h"\n')
        self.write("src/base/bad.cpp", "#include <vector>\n")
        self.assertOneFault(check.check_heads(self.root), "src/base/bad.cpp")

    def test_paths_of_machines_and_notes_to_self_are_found(self):
        self.write("README.md", "Reads /proc/net/tcp and /etc/hosts, and/or work/files.\n")
        self.assertEqual(check.check_words(self.root), [])
        self.write("README.md", "see /" + "home/me/x\n")
        self.assertOneFault(check.check_words(self.root), "README.md:1", "machine")
        self.write("README.md", "TO" + "DO: later\n")
        self.assertOneFault(check.check_words(self.root), "note to self")

    @unittest.skipUnless(shutil.which("ctags"), "universal-ctags is not installed")
    def test_long_functions_are_found_unless_listed(self):
        def body(lines):
            return "  x();\n" * (lines - 2)
        self.write("src/base/a.cpp", f"// a\nvoid fits() {{\n{body(70)}}}\nvoid too_long() {{\n{body(71)}}}\n")
        self.assertOneFault(check.check_lengths(self.root), "too_long", "71")
        self.write("tests/architecture/long_functions.txt", "# why\nsrc/base/a.cpp too_long  # a table\n")
        self.assertEqual(check.check_lengths(self.root), [])


if __name__ == "__main__":
    unittest.main()
