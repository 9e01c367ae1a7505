#!/bin/sh
# Fetches a newer ComfyUI front end than the test host's own into .cache/frontend, once.
# usage: install_new_frontend.sh PYTHON
set -eu
VERSION=1.58.1
cd "$(dirname "$0")/.."
[ -e ".cache/frontend/$VERSION" ] && exit
rm -rf .cache/frontend .cache/frontend.new
"$1" -m pip --disable-pip-version-check install --quiet --no-deps --target .cache/frontend.new \
    "comfyui-frontend-package==$VERSION"
touch ".cache/frontend.new/$VERSION"
mv .cache/frontend.new .cache/frontend
