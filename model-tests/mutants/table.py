#!/usr/bin/env python3
"""Writes mutants.md from reasons.txt and figures.tsv.

    table.py              writes the page
    table.py --results    looks first at what model-tests/mutants.sh left in target/mutants: says which
                          survivors have no reason and which reasons have no survivor, and takes the
                          figures of each area that was judged to its end
"""

import collections
import datetime
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WORKSPACE = HERE.parent.parent
RESULTS = WORKSPACE / "target" / "mutants"

# The first that a file lies in. New folders of eventlog/src belong to the first area until they are
# given one here and in mutants.sh.
AREAS = [
    ("disk", ("eventlog/src/disk/", "eventlog/src/writer/")),
    ("feed", ("eventlog/src/serve/",)),
    ("tool", ("eventlog/src/cli/",)),
    ("NATS", ("eventlog/src/nats/",)),
    ("derive", ("eventlog-derive/src/",)),
    ("ring, replays, subscriptions", ("eventlog/src/",)),
]


def read_reasons():
    """[(reason, [(times, mutation)])]"""
    reasons = []
    for line in (HERE / "reasons.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            reasons.append((line, []))
            continue
        times, mutation = re.fullmatch(r" +(?:(\d+)x )?(.*)", line).groups()
        reasons[-1][1].append((int(times or 1), mutation))
    return reasons


def read_figures():
    lines = (HERE / "figures.tsv").read_text().splitlines()
    return {line.split("\t")[0]: line.split("\t")[1:] for line in lines if line[0] != "#"}


def write_figures(figures):
    head = [line for line in (HERE / "figures.tsv").read_text().splitlines() if line[0] == "#"]
    rows = ["\t".join([area, *map(str, figure)]) for area, figure in figures.items()]
    (HERE / "figures.tsv").write_text("\n".join(head + rows) + "\n")


def identity(mutant):
    """The name without its place, and with one where a constant has none."""
    name = re.sub(r"^\S+?:\d+:\d+: ", "", mutant["name"])
    if mutant["function"]:
        return name
    changed = re.search(r"^-(?!-- ).*\b(?:const|static) (\w+)", mutant["diff"], re.MULTILINE)
    return f"{name} in const {changed[1] if changed else mutant['file']}"


def lines_of(path):
    return set(path.read_text().splitlines()) if path.exists() else set()


def compare(reasons):
    """Whether every survivor has a reason."""
    packages = ["--package", "versioned-eventlog", "--package", "versioned-eventlog-derive"]
    command = ["cargo", "mutants", "--list", "--json", *packages]
    mutants = json.loads(subprocess.check_output(command, cwd=WORKSPACE))
    unviable, killed, survive = set(), set(), set()
    for package in RESULTS.iterdir():
        out = package / "mutants.out"
        unviable |= lines_of(package / "unviable.txt")
        killed |= lines_of(out / "caught.txt") | lines_of(out / "previously_caught.txt")
        survive |= lines_of(out / "missed.txt") | lines_of(out / "timeout.txt")
    killed -= unviable
    survive -= killed | unviable

    figures = read_figures()
    for area in [area for area, _ in AREAS]:
        names = {mutant["name"] for mutant in mutants if area_of(mutant["file"]) == area}
        judged = [len(names & verdict) for verdict in (unviable, killed, survive)]
        print(f"{area}: {sum(judged)} of {len(names)} judged")
        if names and sum(judged) == len(names):
            figures[area] = [datetime.date.today().strftime("%B %Y"), len(names), *judged, 0]
    write_figures(figures)

    # Only of what was judged can be said that it is killed now.
    found, judged, places = collections.Counter(), set(), collections.defaultdict(list)
    for mutant in mutants:
        name, key = mutant["name"], identity(mutant)
        if name in killed | survive:
            judged.add(key)
        if name in survive:
            found[key] += 1
            places[key].append(name.split(": ")[0])
    known = {mutation: times for _, entries in reasons for times, mutation in entries}
    missing = [key for key in sorted(found) if found[key] > known.get(key, 0)]
    for key in missing:
        print(f"no reason ({found[key]}x, {known.get(key, 0)}x known): {key}")
        print(f"    {', '.join(places[key])}")
    for key in sorted(judged & known.keys()):
        if found[key] < known[key]:
            print(f"killed now ({known[key]}x known, {found[key]}x survive): {key}")
    there = {identity(mutant) for mutant in mutants}
    for key in known.keys() - there:
        print(f"exists no more: {key}")
    if missing:
        print("Each is a test to write, or a reason to give in model-tests/mutants/reasons.txt.")
    return not missing


def area_of(file):
    return next((area for area, folders in AREAS if file.startswith(folders)), None)


def code(text):
    return "`" + text.replace("|", "\\|") + "`"


def page(reasons, figures):
    total = sum(times for _, entries in reasons for times, _ in entries)
    lines = [
        "# The mutants",
        "",
        "Written by `mutants/table.py` from `mutants/reasons.txt` and `mutants/figures.tsv`; do not edit.",
        "What it is about: [Whether the tests bite](README.md#whether-the-tests-bite).",
        "",
        "| what was broken | last full run | mutants | do not compile | killed | survive | not judged |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for area, (month, *numbers) in figures.items():
        lines.append("| " + " | ".join([area, month, *map(str, numbers)]) + " |")
    lines += [
        "",
        f"## The {total} with a reason",
        "",
        "| mutant | why nothing notices |",
        "| --- | --- |",
    ]
    for reason, entries in reasons:
        mutants = [code(name) + (f", {times} times" if times > 1 else "") for times, name in entries]
        lines.append(f"| {'<br>'.join(mutants)} | {reason} |")
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:] not in ([], ["--results"]):
        sys.exit(__doc__)
    reasons = read_reasons()
    explained = compare(reasons) if sys.argv[1:] else True
    (HERE.parent / "mutants.md").write_text(page(reasons, read_figures()))
    sys.exit(0 if explained else 1)


main()
