#!/bin/sh
# Installs what is missing on Debian 12: `setup.sh build` to build and run, `setup.sh test` for the tests as well,
# `setup.sh bench` for profiling. Asks for nothing; uses sudo when not root. Does nothing where all is there.
set -eu
build="gcc cmake make pkg-config flex bison nettle-dev libyajl-dev libxml2-dev libffi-dev tzdata"
test="$build check clang libclang-rt-14-dev clang-format clang-tidy python3 hledger gcovr"
case "${1:-build}" in
    build) wanted=$build ;;
    test)  wanted=$test ;;
    bench) wanted="$test linux-perf valgrind" ;;
    *) echo "usage: setup.sh build|test|bench" >&2; exit 2 ;;
esac
missing=""
for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"
$as_root apt-get update -qq
# shellcheck disable=SC2086  # a list of packages
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
