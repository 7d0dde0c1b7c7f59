"""externs: what a private header shows is shown to a room. A name that it declares for one other file alone marks a file that is
torn in two, unless it is an operation of the object that the file is called after (its first argument points to that struct), or a
row of a table: an object and a row have a file of their own however many use them. Also: a private header (agent/ROOM/*.h) is
included in its own room only, and by the tests of that room's name.

Fails on more than TORN_MAX torn names, or more than ALONE_MAX with the operations of objects. With --list prints them all. Called
by tests/habits/run.sh."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TORN_MAX, ALONE_MAX = 60, 150
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
DECLARED = re.compile(r"^(?!static|typedef|#|//|\s|struct \w+ \{|enum|\})[\w\s\*]*?\b(\w+)\([^;{]*\)[^;{]*;", re.M | re.S)
VARIABLE = re.compile(r"^extern\b([^;(]*);", re.M)
WORD = re.compile(r"\b[a-z_][a-z0-9_]*\b")


def code_of(text):
    """The text without comments and literals."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)


def sources(top):
    return [p for p in sorted((ROOT / top).rglob("*")) if p.suffix in (".c", ".cpp", ".h", ".def")]


def torn():
    """(name, defining file, using file, is it an object's operation) of every name that a private header shows to one other file."""
    files = {p: code_of(p.read_text()) for p in sources("agent")}
    users = collections.defaultdict(set)
    for path, text in files.items():
        if path.suffix in (".c", ".cpp"):
            for word in set(WORD.findall(text)):
                users[word].add(path)
    found = []
    for header in (p for p in files if p.suffix == ".h"):
        variables = {w for names in VARIABLE.findall(files[header]) for w in re.findall(r"(\w+)(?:\[\w*\])?\s*(?:,|$)", names)}
        for name in sorted(set(DECLARED.findall(files[header])) | variables):
            body = rf"\([^;{{]*\)\s*\{{" if name not in variables else r"(?:\[[^;\]]*\])?\s*="
            defined = [p for p in users[name] if re.search(rf"^(?!static|extern)[\w\s\*]*?\b{name}{body}", files[p], re.M | re.S)]
            others = users[name] - set(defined)
            if len(defined) == 1 and len(others) == 1:
                found.append((name, defined[0].relative_to(ROOT), others.pop().relative_to(ROOT), is_operation(name, files[header], defined[0])))
    return found


def is_operation(name, header_text, where):
    """True if the function is one of the object its file is called after: queue_put(struct queue *...) or *queue_new() in
    queue.c or room_queue.c. Likewise a row of a table: extern const struct codec codec_snappy."""
    if re.search(rf"\bextern const struct (\w+) {name};", header_text) and name.startswith(
            re.search(rf"\bextern const struct (\w+) {name};", header_text).group(1) + "_"):
        return True
    for noun in (where.stem, where.stem.split("_", 1)[-1]):
        if name.startswith(noun + "_") and re.search(
                rf"\b{name}\((?:const )?struct {noun} \*|struct {noun} \*{name}\(|\b{name}\([^;]*struct {noun} \*\*", header_text, re.S):
            return True
    return False


def strangers():
    """Private headers that are included from another room."""
    private = {}
    for header in sources("agent"):
        if header.suffix == ".h":
            private.setdefault(header.name, set()).add(header.parent.name)
    for path in sources("agent") + sources("include") + sources("tests"):
        room = path.parent.name
        for name in INCLUDE.findall(code_free(path)):
            parts = name.split("/")
            if len(parts) == 2 and not (ROOT / "include" / name).exists() and (ROOT / "agent" / name).exists() and parts[0] != room:
                yield f"{path.relative_to(ROOT)} includes {name}, which is private to {parts[0]}"
            elif len(parts) == 1 and not (path.parent / name).exists() and room not in private.get(name, {room}):
                yield f"{path.relative_to(ROOT)} includes {name}, which is private to {', '.join(sorted(private[name]))}"


def code_free(path):
    return re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)


def main():
    found, bad = torn(), list(strangers())
    if "--list" in sys.argv:
        print("\n".join(f"{name}: {where} for {user}{', an operation' if operation else ''}" for name, where, user, operation in found))
    alone, parted = len(found), sum(1 for row in found if not row[3])
    print(f"{alone} names are shown to one other file alone (at most {ALONE_MAX}), {parted} of them neither an object's operation nor a row (at most {TORN_MAX})")
    print("\n".join(bad))
    return 1 if bad or parted > TORN_MAX or alone > ALONE_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
