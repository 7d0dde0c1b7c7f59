"""kept: what a release kept in the state topics is read by all later ones. Compares docs/state.md (which is what the program's own
tables say: tests/commands/cli.sh) with the same page of every release, schemas/released/VERSION/state.md: a key's form, a field's
number, name and type, a word's number and name may be added, never changed and never taken away. A field may become "retired".

Called by tests/habits/run.sh. When a release is made, copy docs/state.md there."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| *(\d+) *\| *([^|]*?) *\|(?: *([^|]*?) *\|)?$")
KEY = re.compile(r"^## `(.*)`: ")
WORDS = re.compile(r"^### (.*)$")
# Of what is nested the form counts, not what the whole is called in words.
FORMS = ("number", "boolean", "real", "text", "word", "retired", "list of", "value", "32-bit")


def form(kind):
    """number, list of, ...; what is nested is "nested". The vocabulary counts, too."""
    name = next((f for f in FORMS if kind.startswith(f)), "nested")
    return kind if name in ("number", "word") or kind.startswith("list of place") else name


def facts(page):
    """{(key's form or vocabulary, path of what the field is in, number): (name, form)}"""
    found, where = {}, None
    for line in page.splitlines():
        head = KEY.match(line) or WORDS.match(line)
        if head:
            where = head.group(1)
            found[(where, None, 0)] = (where, "table")
        row = ROW.match(line)
        if row:
            path, _, name = row.group(2).rpartition(".")
            fact = (where, path, int(row.group(1)))
            if fact in found:
                found[fact] = ("twice", "twice")
            else:
                found[fact] = (name, form(row.group(3)) if row.group(3) is not None else "word")
    return found


def complaints(released, current):
    """What of the page of a release the current page says otherwise."""
    retired = set()
    for (where, path, number), (name, kind) in facts(released).items():
        now = current.get((where, path, number))
        inside = any(path == p or (path or "").startswith(p + ".") for w, p in retired if w == where)
        if now is not None and now[1] == "retired":
            retired.add((where, f"{path}.{name}" if path else name))
        elif not inside and now != (name, kind):
            yield f"{where}: {path + '.' if path else ''}{name}, number {number}, {kind}: is now {now or 'gone'}"


def main():
    page = facts((ROOT / "docs/state.md").read_text())
    releases = sorted((ROOT / "schemas/released").glob("*/state.md"))
    bad = [f"state.md of {p.parent.name}: {text}" for p in releases for text in complaints(p.read_text(), page)]
    bad += [f"docs/state.md: {where}: number {number} twice" for (where, _, number), fact in page.items() if fact[0] == "twice"]
    print("\n".join(bad))
    if not releases or len(page) < 200:
        print(f"{len(releases)} releases, {len(page)} facts: is this the right folder?")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
