"""comments: a file opens with its own name, and no comment names a file that is not there: what a move leaves behind.

Called by tests/habits/run.sh. A file is named in a comment as name.c, name.cpp, name.h or name.def, after a blank or a bracket."""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import floors  # noqa: E402 (beside this file)

ROOT = floors.ROOT
SUFFIXES = (".c", ".cpp", ".h", ".def")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
NAMED = re.compile(r"(?<![\w./*<-])((?:\w+/)*\w+\.(?:c|cpp|h|def))\b(?!\w)")
# Of libraries, and made by the build.
ELSEWHERE = {header.split("/")[-1] for header in floors.LIBRARY} | {"uthash.h", "queue.h"}


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
    print("\n".join(bad))
    return 1 if bad or len(paths) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
