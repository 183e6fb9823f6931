"""Runs clang-tidy (of .venv, see docs/decisions/013-lint.md) over our own .cc files, and only over those that changed.

usage: clang_tidy.py [--build build/dev] [--jobs N] [--analyze] [FILE...]

--analyze adds the static analyzer, which takes two to three times as long.

A file that passed is remembered under a hash of everything that its result depends on: its bytes,
those of every header of ours that it includes, its compiler flags, .clang-tidy and the version of
clang-tidy. The memory is a folder of empty files named by that hash, in
$OPENTRAIL_LINT_CACHE or the user's cache folder, beside ccache's; no part of it is a path, so every
clone of the repository shares it and deleting it costs only time. Findings are printed as they come;
the exit code is 1 when there was any.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLANG_TIDY = ROOT / ".venv/bin/clang-tidy"
# `__COUNTER__` is an extension of C2y to this clang-tidy; our compiler has always had it.
EXTRA = ["--extra-arg=-Wno-c2y-extensions"]
SOURCE_FOLDERS = ("src", "fuzz", "bench")
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
FINDING = re.compile(r"^(/\S+?):(\d+:\d+: (?:warning|error):)", re.M)


def cache_folder() -> pathlib.Path:
    if chosen := os.environ.get("OPENTRAIL_LINT_CACHE"):
        return pathlib.Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "opentrail-lint"


def our_commands(build: pathlib.Path, only: list[str]) -> dict[pathlib.Path, list[str]]:
    """The compiler command of each of our files; one that several targets compile counts once."""
    commands = {}
    wanted = {pathlib.Path(name).resolve() for name in only}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if not path.is_relative_to(ROOT):
            continue
        if path.relative_to(ROOT).parts[0] not in SOURCE_FOLDERS:
            continue
        if path.is_file() and (not wanted or path in wanted):
            commands.setdefault(path, shlex.split(entry["command"]))
    return commands


def with_headers(path: pathlib.Path, seen: set[pathlib.Path]) -> set[pathlib.Path]:
    """`path` and every file of ours that it includes, directly or not."""
    if path in seen:
        return seen
    seen.add(path)
    for name in INCLUDE.findall(path.read_bytes()):
        for folder in (ROOT / "src", path.parent):
            header = (folder / name.decode()).resolve()
            if header.is_file():
                with_headers(header, seen)
                break
    return seen


def flags_of(command: list[str]) -> str:
    """What of a compiler command matters for the result: no output names, no paths of this clone."""
    kept = [word for word in command if word.startswith(("-D", "-f", "-m", "-s", "-W", "-i", "-I"))]
    return " ".join(kept).replace(str(ROOT), "")


def key_of(path: pathlib.Path, command: list[str], checks: list[str], common: bytes) -> str:
    digest = hashlib.sha256(common)
    digest.update(" ".join(checks).encode())
    digest.update(flags_of(command).encode())
    for part in sorted(with_headers(path, set())):
        digest.update(str(part.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(part.read_bytes()).digest())
    return digest.hexdigest()


def checks_of(path: pathlib.Path, analyze: bool) -> list[str]:
    """What this file goes without: a test's speed is nobody's concern, and its coroutines end before
    the lambdas that they are."""
    without = [] if analyze else ["-clang-analyzer-*"]
    if re.search(r"_(test|bench)\.cc$", path.name):
        without = ["-clang-analyzer-*", "-performance-*", "-bugprone-random-generator-seed",
                   "-cppcoreguidelines-virtual-class-destructor",
                   "-cppcoreguidelines-avoid-capturing-lambda-coroutines"]
    return ["--checks=" + ",".join(without)] if without else []


def lint(build: pathlib.Path, path: pathlib.Path, checks: list[str]) -> tuple[int, str, float]:
    started = time.monotonic()
    done = subprocess.run([CLANG_TIDY, "--quiet", "-p", str(build), *EXTRA, *checks, str(path)],
                          cwd=ROOT, capture_output=True, text=True)
    output = done.stdout
    if done.returncode != 0 and not output.strip():
        output = done.stderr
    output = FINDING.sub(lambda m: f"{os.path.relpath(m[1], ROOT)}:{m[2]}", output)
    return done.returncode, output.strip(), time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/dev")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--analyze", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    build = options.build.resolve()
    try:
        version = subprocess.run([CLANG_TIDY, "--version"], capture_output=True, check=True).stdout
        commands = our_commands(build, options.files)
    except FileNotFoundError as error:
        print(f"{error}: run ./dev setup, then ./dev lint", file=sys.stderr)
        return 2
    common = version + (ROOT / ".clang-tidy").read_bytes()
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    checks = {path: checks_of(path, options.analyze) for path in commands}
    keys = {path: key_of(path, command, checks[path], common)
            for path, command in commands.items()}
    waiting = [path for path in commands if not (cache / keys[path]).exists()]
    # The largest first, so that no core waits for the other at the end.
    waiting.sort(key=lambda path: -path.stat().st_size)
    started = time.monotonic()
    broken = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(lint, build, path, checks[path]): path for path in waiting}
        for done in concurrent.futures.as_completed(running):
            path = running[done]
            code, output, seconds = done.result()
            name = path.relative_to(ROOT)
            if code == 0:
                (cache / keys[path]).touch()
                print(f"  ok {seconds:5.1f} s  {name}", flush=True)
            else:
                broken += 1
                print(f"\n{name}:\n{output}\n", flush=True)
    print(f"clang-tidy: {len(commands)} files, {len(waiting)} looked at in "
          f"{time.monotonic() - started:.0f} s, {broken} with findings")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
