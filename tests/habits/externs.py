"""externs: what a file shows to others is shown to a room, or to the house: a function that a private header declares for
one other file alone is a file torn in two. Also: a private header (agent/ROOM/*.h) is included in its own room only, tests of that
room's name beside it, and never reached past by a path of another room.

Counts functions and variables declared in private headers and used in exactly one file beside their own; more than EXTERN_MAX fails. With
--list prints them. Called by tests/habits/run.sh."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXTERN_MAX = 60
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
    """(function, defining file, using file) of every function that a private header shows to one other file."""
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
                found.append((name, defined[0].relative_to(ROOT), others.pop().relative_to(ROOT)))
    return found


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
        print("\n".join(f"{name}: {where} for {user}" for name, where, user in found))
    print(f"{len(found)} names are shown to one other file alone, at most {EXTERN_MAX}")
    print("\n".join(bad))
    return 1 if bad or len(found) > EXTERN_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
