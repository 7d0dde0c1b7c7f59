"""sizes: files stay under 600 lines, functions under 50, every file opens by saying what it is.

Called by tests/habits/run.sh. Counts lines as they stand; a function runs from the line of its opening brace at
column 0's signature to the brace that closes it at column 0 (clang-format keeps it there)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE_MAX, FUNCTION_MAX = 600, 50
FUNCTION = re.compile(r"^[A-Za-z_][^;=]*\)\s*\{$")


def check(path):
    lines = path.read_text().splitlines()
    if len(lines) > FILE_MAX:
        yield f"{len(lines)} lines, more than {FILE_MAX}"
    if not lines or not lines[0].startswith(("//", "/*")) or ":" not in lines[0]:
        yield "does not open by saying what it is (// name: ...)"
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line.endswith("{") and not line.startswith((" ", "\t", "#", "//", "struct", "enum", "static const", "const", "union", "extern")):
            start = number
        elif line.startswith("}") and start is not None:
            if number - start + 1 > FUNCTION_MAX:
                yield f"line {start}: a function of {number - start + 1} lines, more than {FUNCTION_MAX}"
            start = None


def main():
    files = [p for top in ("agent", "include", "tests") for p in sorted((ROOT / top).rglob("*"))
             if p.suffix in (".c", ".cpp", ".h") and "fixtures" not in p.parts]
    bad = [f"{p.relative_to(ROOT)}: {text}" for p in files for text in check(p)]
    print("\n".join(bad))
    return 1 if bad or len(files) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
