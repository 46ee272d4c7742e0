#!/usr/bin/env python3
"""Takes away one thing the judgement stands on and sees whether a test notices: mutate.py [rows] [detectors] [rules] [conditions] [options].

Works in a copy of the tree: src/tcp/transition.cpp loses its rows, the lists of src/tcp/detect*.cpp their detectors, the machine whole rules
(refutation, acceptance of RSTs, copies, ...), and the detectors single conditions (each operand of their || and &&), one at a time; each
time the traces are run, and the rest of test_tcp if none of them failed. Prints for each mutant what failed, and exits 1 if one survived.
The tree itself is not touched. Rows that only the table's own test notices are named, because that test is a copy of the table: no trace
takes them. Takes minutes, conditions an hour; ccache helps. --part 2/4 takes the second quarter, so that four can run side by side; --only
takes those whose name contains a text. Not part of the test run.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OWN_TEST = "TransitionTable"  # repeats the table
TRACES = "All/Traces.*"
ROW = re.compile(r"^ *Row\{.*\},\n", re.MULTILINE)
LIST = re.compile(r"^constexpr std::array(?:<\w+, (\d+)>)? (kOf\w+)\{([^{}]*)\};", re.MULTILINE)
HUNG_AFTER = 60  # seconds; the tests take a few


class Mutant:
    def __init__(self, path, name, text):
        self.path = path  # relative to the root
        self.name = name
        self.text = text  # the whole file without one thing


def without(text, start, end):
    return text[:start] + text[end:]


def rows(tree):
    path = pathlib.Path("src/tcp/transition.cpp")
    text = (tree / path).read_text()
    return [Mutant(path, " ".join(row.group().split()).rstrip(","), without(text, row.start(), row.end())) for row in ROW.finditer(text)]


def detectors(tree):
    mutants = []
    for file in sorted((tree / "src/tcp").glob("detect*.cpp")):
        text = file.read_text()
        for found in LIST.finditer(text):
            for entry in re.finditer(r"\w+,?", found.group(3)):
                start = found.start(3) + entry.start()
                fewer = without(text, start, start + len(entry.group()))
                if found.group(1):  # the length is written down: one less
                    fewer = fewer[:found.start(1)] + str(int(found.group(1)) - 1) + fewer[found.end(1):]
                mutants.append(Mutant(file.relative_to(tree), f"{found.group(2)}: {entry.group().rstrip(',')}", fewer))
    return mutants


# what is switched off: file, text, what stands there instead
RULES = [
    ("refutation", "machine.cpp", "  if (o.fresh()) refute(o);\n", ""),
    ("refutation by stale segments too", "machine.cpp", "  if (o.fresh()) refute(o);\n", "  refute(o);\n"),
    ("every RST accepted", "machine.cpp", "const bool accepted = accepts_reset(o);", "const bool accepted = true;"),
    ("no RST accepted", "machine.cpp", "const bool accepted = accepts_reset(o);", "const bool accepted = false;"),
    ("copies not recognised", "freshness.cpp", "return found && (", "return false && found && ("),
    ("stale segments not recognised", "freshness.cpp", "(s.ts_val, x.newest_ts_val) < 0) return true;", "(s.ts_val, x.newest_ts_val) < 0) return false;"),
    ("a wrong ACK not taken back", "machine.cpp", "    take_back_ack(o);\n", ""),
    ("no candidate without a SYN", "incarnations.cpp", "return answers_unseen_syn(c, s) ?", "return false ?"),
    ("no candidate without a handshake", "incarnations.cpp", "return goes_on_unseen(memory[head], s) ?", "return false ?"),
    ("numbers beyond both ends fit", "incarnations.cpp", "return !ahead || !goes_beyond_the_end(c, s);", "return true;"),
    ("holes not counted at the end", "tracker.cpp", "    y.counters.missing_bytes += blocks.take_holes(y, x.rcv_nxt);\n", ""),
]


def rules(tree):
    mutants = []
    for name, file, old, new in RULES:
        path = pathlib.Path("src/tcp") / file
        text = (tree / path).read_text()
        if text.count(old) != 1:
            sys.exit(f"the rule '{name}' is written in another way than this program knows")
        mutants.append(Mutant(path, name, text.replace(old, new)))
    return mutants


def operands(text, start, end, operator):
    """The places of the parts of text[start:end] between `operator` outside of any brackets."""
    places, depth, begun = [], 0, start
    for at in range(start, end):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0 and text.startswith(operator, at):
            places.append((begun, at))
            begun = at + len(operator)
    return places + [(begun, end)]


def closing(text, opening):
    depth = 0
    for at in range(opening, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at
    raise ValueError("a bracket is not closed")


def parts(text, start, end):
    """Each operand of || and &&, also within brackets, with what it would be if it were not there."""
    for operator, absent in ("||", "false"), ("&&", "true"):
        found = operands(text, start, end, operator)
        if len(found) > 1:
            for place in found:
                yield *place, absent
                yield from parts(text, *place)
            return
    inner = re.compile(r"[\s!]*\(").match(text, start, end)
    if inner and closing(text, inner.end() - 1) == len(text[:end].rstrip()) - 1:
        yield from parts(text, inner.end(), closing(text, inner.end() - 1))


def expressions(text):
    """What may be a condition: in `if`, after `return` and `=`, up to and behind a `?`. With it what it would be if a lone condition were gone."""
    for found in re.finditer(r"\bif \(", text):
        end = closing(text, found.end() - 1)
        yield found.end(), end, "false" if re.match(r"\)\s*(return \{\}|continue);", text[end:]) else None
    for found in re.finditer(r"(?:\breturn|[^=!<>]=)\s", text):
        end = text.index(";", found.end())
        if "{" in text[found.end():end]:
            continue  # a lambda or a list: what is in it is found by itself
        for start, stop in operands(text, found.end(), end, "?"):
            for place in operands(text, start, stop, " : "):
                yield *place, None


def without_comments(text):
    return re.sub(r"//.*", lambda comment: " " * len(comment.group()), text)


def conditions(tree):
    """Each operand of each || and && of the detectors, and each lone condition after which they say nothing, is taken away."""
    mutants = []
    for file in sorted((tree / "src/tcp").glob("detect*.cpp")):
        text = file.read_text()
        bare = without_comments(text)
        places = set()
        for start, end, alone in expressions(bare):
            found = list(parts(bare, start, end))
            places.update(found or ([(start, end, alone)] if alone else []))
        for start, end, absent in sorted(places):
            name = f"{file.name}:{text.count(chr(10), 0, start) + 1}: {' '.join(bare[start:end].split())}"
            mutants.append(Mutant(file.relative_to(tree), name, f"{text[:start]} {absent} {text[end:]}"))
    return mutants


def build(folder, jobs):
    return subprocess.run(["cmake", "--build", folder, "--target", "test_tcp", "-j", str(jobs)], capture_output=True, text=True)


def failed_tests(folder, which):
    """Names of the tests that failed; the one under way if the program crashed or hung."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    try:
        run = subprocess.run([folder / "tests/test_tcp", f"--gtest_filter={which}", f"--gtest_output=json:{report}"], capture_output=True,
                             timeout=HUNG_AFTER)
    except subprocess.TimeoutExpired as hung:
        return [f"{last_begun(hung.stdout)} (hung)"]
    if not report.exists():
        return [f"{last_begun(run.stdout)} (ended with {run.returncode})"]
    suites = json.loads(report.read_text())["testsuites"]
    return [f"{suite['name']}.{test['name']}" for suite in suites for test in suite["testsuite"] if "failures" in test]


def last_begun(output):
    begun = re.findall(r"^\[ RUN      \] (\S+)", (output or b"").decode(errors="replace"), re.MULTILINE)
    return begun[-1] if begun else "before any test"


def noticing_tests(folder, known):
    for which in TRACES, f"-{TRACES}":
        noticed = [test for test in failed_tests(folder, which) if test not in known]
        if noticed:
            return noticed
    return []


def judge(tree, folder, mutant, known, jobs):
    """The tests that notice the mutant."""
    file = tree / mutant.path
    original = file.read_text()
    file.write_text(mutant.text)
    try:
        built = build(folder, jobs)
        if built.returncode != 0:
            return ["(does not compile)"]
        return noticing_tests(folder, known)
    finally:
        file.write_text(original)


def verdict(noticed):
    if not noticed:
        return "SURVIVED"
    if all(test.startswith(OWN_TEST) for test in noticed):
        return "only the table's own test"
    others = [test for test in noticed if not test.startswith(OWN_TEST)]
    return f"{'traces' if held_by_trace(others) else 'no trace; tests'}: {len(others)}, {others[0]}"


def held_by_trace(noticed):
    return any(test.startswith(TRACES.rstrip("*")) for test in noticed)


def part_of(mutants, part):
    """The k-th of n equal parts of the list, 'k/n'."""
    k, n = (int(number) for number in part.split("/"))
    if not 1 <= k <= n:
        raise ValueError
    return mutants[len(mutants) * (k - 1) // n:len(mutants) * k // n]


def configure(tree, folder):
    command = ["cmake", "-S", tree, "-B", folder, "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O1", "-DFINWAIT_BENCH=OFF"]
    if shutil.which("ccache"):
        command.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
        os.environ.setdefault("CCACHE_BASEDIR", str(tree.parent))  # the next run has another folder, but the same files
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def try_each(tree, folder, mutants, jobs):
    """How many survived."""
    configure(tree, folder)
    built = build(folder, jobs)
    if built.returncode != 0:
        sys.exit(f"the tree itself does not build; build it first\n{built.stdout[-2000:]}")
    known = failed_tests(folder, "*")
    for test in known:
        print(f"fails without any mutant: {test}")
    survived = 0
    by_trace = 0
    for mutant in mutants:
        noticed = judge(tree, folder, mutant, known, jobs)
        survived += not noticed
        by_trace += held_by_trace(noticed)
        print(f"{mutant.name:<70} {verdict(noticed)}", flush=True)
    print(f"{len(mutants)} tried, {by_trace} noticed by a trace, {len(mutants) - by_trace - survived} by other tests only, {survived} survived")
    return survived


def chosen(tree, arguments, parser):
    sources = {"rows": rows, "detectors": detectors, "rules": rules, "conditions": conditions}
    wanted = arguments.what or list(sources)
    if any(what not in sources for what in wanted):
        parser.error("mutate rows, detectors, rules or conditions")
    mutants = {what: sources[what](tree) for what in wanted}
    for what in wanted:
        if not mutants[what]:
            sys.exit(f"no {what} found: they are written in another way than this program knows")
    try:
        part = part_of([mutant for what in wanted for mutant in mutants[what]], arguments.part)
    except ValueError:
        parser.error("--part is k/n, with 1 <= k <= n")
    return [mutant for mutant in part if arguments.only in mutant.name]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="rows, detectors, rules, conditions; all if not said")
    parser.add_argument("--part", default="1/1", help="k/n: the k-th of n equal parts of the mutants")
    parser.add_argument("--only", default="", metavar="TEXT", help="of these, the mutants whose name contains it")
    parser.add_argument("--list", action="store_true", help="name the mutants, try none")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.list:
        for mutant in chosen(ROOT, arguments, parser):
            print(mutant.name)
        return 0
    with tempfile.TemporaryDirectory(prefix="mutate-") as temporary:
        tree = pathlib.Path(temporary) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", "build", "__pycache__"))
        return 1 if try_each(tree, pathlib.Path(temporary) / "build", chosen(tree, arguments, parser), arguments.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
