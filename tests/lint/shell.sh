#!/bin/bash
# SPDX-License-Identifier: MIT
# shell.sh - shellcheck over our shell scripts; skipped (77) where it is not installed.
set -u
cd "$(dirname "$0")/../.." || exit 1

if ! command -v shellcheck >/dev/null; then
    echo "skipped: shellcheck is not installed, the shell scripts were not checked"
    exit 77
fi
find . \( -name build -o -name .git -o -name .cache \) -prune -o \
    \( -name '*.sh' -o -path ./dev -o -path ./.ci/run \) -print0 | sort -z | xargs -0r shellcheck
