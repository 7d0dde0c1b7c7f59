"""docs.py BINARY: what the pages tell users to type and set exists: commands and their options, settings of the listener and of the
agent, the jar's name, links. Called by tests/commands/cli.sh.

Prints a line for each mistake with its page and line; exit 1 if there is one, or if it found nothing to look at."""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(sys.argv[1]).resolve()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VERSION = re.search(r"^project\(stoker VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]
SETTING = (ROOT / "deploy/spark-listener/src/main/java/io/stoker/spark/Setting.java").read_text()
LISTENER_KEYS = {f"spark.stoker.{name}" for name in re.findall(r'^  [A-Z_]+\("(\w[\w.]*)", Type', SETTING, re.M)}
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.M | re.S)
# A command line: at the start of a line of a block, or all of a text between backticks.
IN_BLOCK = re.compile(r"^ *(?:\$ )?(?:build/\w+/)?stoker ([a-z-]+)(.*)$", re.M)
IN_TEXT = re.compile(r"`(?:build/\w+/)?stoker ([a-z-]+)( [^`\n]*)?`")
seen = {"commands": 0, "keys": 0, "links": 0, "files": 0}


def helps():
    """Command -> the options that its help names."""
    listed = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^  ([a-z-]+)  ", listed, re.M)
    found = {}
    for name in [*names, "man", "help"]:
        text = subprocess.run([BINARY, "help", name], capture_output=True, text=True, check=True).stdout
        found[name] = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])(?![\w-])", text))
    return found


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def wrong_commands(text, options):
    blocks = [(m.start(2), m[2]) for m in FENCE.finditer(text)]
    calls = [(at + m.start(), m[1], m[2]) for at, block in blocks for m in IN_BLOCK.finditer(block)]
    calls += [(m.start(), m[1], m[2] or "") for m in IN_TEXT.finditer(text)]
    for at, command, words in calls:
        seen["commands"] += 1
        if command not in options:
            yield at, f"there is no command stoker {command}"
            continue
        words = re.sub(r"'[^']*'|\"[^\"]*\"", "''", words)  # what is quoted is no option
        words = re.split(r"[|#;&>]| -- ", words)[0]         # nor is what follows a pipe, a comment, or is another's
        for word in re.findall(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z](?![\w-]))", words):
            if word not in options[command]:
                yield at, f"stoker {command} has no {word}"


def wrong_keys(text):
    for m in re.finditer(r"spark\.stoker\.[\w.]*\w", text):
        seen["keys"] += 1
        if m[0] not in LISTENER_KEYS and not m[0].startswith("spark.stoker.kafka"):
            yield m.start(), f"the listener has no setting {m[0]}"
    for m in re.finditer(r"stoker-spark-listener-([\w.-]+?)\.jar", text):
        if m[1] not in (VERSION, "VERSION"):
            yield m.start(), f"the listener's jar has version {VERSION}, not {m[1]}"


def wrong_files(text):
    """Blocks that are an agent's file: what `check` says of them."""
    sections = "|".join(("cluster", "kafka", "topics", "agent", "input", "alertmanager", "window", "pipeline", "http"))
    for m in FENCE.finditer(text):
        if m[1] == "yaml" and re.match(rf"\s*({sections}):", m[2]):
            seen["files"] += 1
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write("\n".join(line.removeprefix("   ") for line in m[2].splitlines()) + "\n"
                           if m[2].startswith("   ") else m[2])
                file.flush()
                done = subprocess.run([BINARY, "check", "-c", file.name], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                yield m.start(), done.stderr.strip()


def anchors(text):
    heads = re.findall(r"^#+ (.*)$", re.sub(FENCE, "", text), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def wrong_links(page, text):
    for m in re.finditer(r"\]\(([^)\s]+)\)", re.sub(FENCE, lambda f: " " * len(f[0]), text)):
        if re.match(r"[a-z]+:", m[1]):
            continue
        seen["links"] += 1
        name, _, anchor = m[1].partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists():
            yield m.start(), f"links to {name}, which is not there"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            yield m.start(), f"links to {m[1]}, which has no such heading"


def main():
    options, bad = helps(), []
    for page in PAGES:
        text = page.read_text()
        found = [*wrong_commands(text, options), *wrong_keys(text), *wrong_files(text), *wrong_links(page, text)]
        bad += [f"{page.relative_to(ROOT)}:{line_of(text, at)}: {words}" for at, words in sorted(found)]
    bad += [f"no {what} found: are the pages read as they are written?" for what, count in seen.items() if count == 0]
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
