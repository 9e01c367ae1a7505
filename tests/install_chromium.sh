#!/bin/sh
# Installs Chromium, which the tests of the pages drive, with the package manager that is here.
set -eu
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
if command -v apt-get >/dev/null; then
    as_root apt-get update -qq
    as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
elif command -v dnf >/dev/null; then
    as_root dnf install -y -q chromium
elif command -v brew >/dev/null; then
    brew install --cask chromium
else
    echo "install Chromium, which the tests of the ComfyUI nodes and of the app drive" >&2
    exit 1
fi
