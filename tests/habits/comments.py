"""comments: a file opens with its own name, and neither a comment nor a page names a file that is not there: what a move leaves
behind.

Called by tests/habits/run.sh. A file is named in a comment as name.c, name.cpp, name.h or name.def, after a blank or a bracket;
on a page (README.md, CONTRIBUTING.md, docs/) as `folder/name` in quotes, where * stands for anything; one with <name> is to be
written."""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import floors  # noqa: E402 (beside this file)

ROOT = floors.ROOT
SUFFIXES = (".c", ".cpp", ".h", ".def")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
NAMED = re.compile(r"(?<![\w./*<-])((?:\w+/)*\w+\.(?:c|cpp|h|def))\b(?!\w)")
QUOTED = re.compile(r"`((?:[\w.*-]+/)+[\w.*-]*)`")
MADE = ("build/", "deploy/spark-listener/target/")
# Of libraries, and made by the build.
ELSEWHERE = {header.split("/")[-1] for header in floors.LIBRARY} | {"uthash.h", "queue.h"}


def missing_in_pages():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for name in sorted(set(QUOTED.findall(page.read_text()))):
            if not name.startswith(MADE) and not any(
                    any((ROOT / top).glob(name)) for top in (".", "agent", "include", "tests")):
                yield f"{page.relative_to(ROOT)} speaks of {name}, which is not there"


def main():
    paths = [p for top in ("agent", "include", "tests") for p in sorted((ROOT / top).rglob("*"))
             if p.suffix in SUFFIXES and "fixtures" not in p.parts]
    names = {p.name for p in paths}
    bad = []
    for path in paths:
        text = path.read_text()
        opening = re.match(r"(?://|/\*)\s*([\w.]+)[^:\n]*:", text)
        if not opening or opening.group(1) not in (path.stem, path.name):
            bad.append(f"{path.relative_to(ROOT)} opens as {opening.group(1) if opening else 'nobody'}")
        for comment in COMMENT.findall(re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)):
            for name in NAMED.findall(comment):
                there = name.split("/")[-1] in names | ELSEWHERE if "/" not in name else any(
                    (ROOT / top / name).exists() for top in ("", "agent", "include", "tests"))
                if not there:
                    bad.append(f"{path.relative_to(ROOT)} speaks of {name}, which is not there")
    bad += missing_in_pages()
    print("\n".join(bad))
    return 1 if bad or len(paths) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
