"""Refuses an #include "x/..." that the including module's DEPS does not name.

usage: check_includes.py MODULES_FILE SRC_DIR

MODULES_FILE has one line a module: `name: dep dep | test_dep`. The dependencies are those of
opentrail_module(); what stands behind the bar is open to *_test.cc and *_bench.cc only.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*"([a-z0-9_]+)/', re.M)


def read_modules(path: str) -> dict[str, tuple[set[str], set[str]]]:
    modules = {}
    for line in pathlib.Path(path).read_text().splitlines():
        name, _, rest = line.partition(":")
        deps, _, test_deps = rest.partition("|")
        modules[name] = (set(deps.split()), set(test_deps.split()))
    return modules


def main() -> int:
    modules = read_modules(sys.argv[1])
    source = pathlib.Path(sys.argv[2])
    broken = 0
    for path in sorted(p for p in source.rglob("*") if p.suffix in (".h", ".cc")):
        module = path.relative_to(source).parts[0]
        if module not in modules:
            print(f"{path}: the folder {module} is not a module (src/CMakeLists.txt)")
            broken += 1
            continue
        deps, test_deps = modules[module]
        allowed = deps | {module}
        if path.stem.endswith(("_test", "_bench")):
            allowed |= test_deps
        for other in INCLUDE.findall(path.read_text()):
            if other in modules and other not in allowed:
                print(f"{path}: includes {other}/, but {module} depends on: {' '.join(sorted(deps))}")
                broken += 1
    return 1 if broken else 0


sys.exit(main())
