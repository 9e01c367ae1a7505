#!/bin/sh
# Installs libmypaint and its brushes with the package manager that is here.
set -eu
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if command -v apt-get >/dev/null; then
    as_root apt-get update -qq
    as_root apt-get install -y -qq libmypaint-1.5-1 mypaint-brushes
elif command -v dnf >/dev/null; then
    as_root dnf install -y -q libmypaint mypaint-brushes
elif command -v brew >/dev/null; then
    brew install libmypaint mypaint-brushes
else
    echo "install libmypaint and mypaint-brushes, which the tests of 'sketchgan-train synthesize' draw with" >&2
    exit 1
fi
