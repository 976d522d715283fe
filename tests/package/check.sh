#!/bin/sh
# Installs a build into an empty folder and uses it as a stranger would: command, manual, completions, pkg-config, CMake package, static and
# shared library. Usage: check.sh BUILD
set -eu
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
cmake --install "$build" --prefix "$root" >/dev/null

cat >"$work/host.c" <<'C'
#include <shunt/shunt.h>
#include <stdio.h>
int main(void)
{
    shunt_program *program = NULL;
    puts(shunt_version());
    return shunt_load("", 0, NULL, &program, NULL) == SHUNT_RULES_FAULT ? 0 : 1;
}
C
for file in bin/shunt include/shunt/shunt.h include/shunt/extern.h share/man/man1/shunt.1 share/bash-completion/completions/shunt share/zsh/site-functions/_shunt \
    share/fish/vendor_completions.d/shunt.fish share/doc/shunt/tour.md share/doc/shunt/language.md share/doc/shunt/cookbook.md \
    share/doc/shunt/diagnostics.md share/shunt/rules/x12/remit_gl.map share/shunt/rules/lib/gl.map; do
    [ -s "$root/$file" ] || { echo "missing: $file"; exit 1; }
done
[ "$(find "$root/include" -name '*.h' | wc -l)" -eq 2 ] || { echo "other than the two headers are installed"; exit 1; }
"$root/bin/shunt" --version
version=$("$root/bin/shunt" --version | cut -d' ' -f2)

library=$(find "$root" -name libshunt.so)
PKG_CONFIG_PATH=$(dirname "$(find "$root" -name shunt.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # flags
gcc "$work/host.c" -o "$work/shared" $(pkg-config --cflags --libs shunt) -Wl,-rpath,"$(dirname "$library")"
[ "$("$work/shared")" = "$version" ]
# shellcheck disable=SC2046
gcc "$work/host.c" -o "$work/static" $(pkg-config --cflags shunt) "$(dirname "$library")/libshunt.a" $(pkg-config --static --libs nettle yajl libxml-2.0 libffi) -ldl
[ "$("$work/static")" = "$version" ]
readelf -d "$library" | grep -q 'SONAME.*libshunt.so.[0-9]' || { echo "no versioned SONAME"; exit 1; }
foreign=$(nm -D --defined-only "$library" | awk '{print $3}' | grep -v '^shunt_' || true)
[ -z "$foreign" ] || { echo "exported beyond the public names: $foreign"; exit 1; }

mkdir "$work/project"
cp "$work/host.c" "$work/project/"
cat >"$work/project/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.25)
project(host C)
find_package(Shunt 0.1 REQUIRED)
add_executable(host host.c)
target_link_libraries(host Shunt::shunt)
C
cmake -S "$work/project" -B "$work/project/build" -DCMAKE_PREFIX_PATH="$root" >/dev/null
cmake --build "$work/project/build" >/dev/null
[ "$("$work/project/build/host")" = "$version" ]
"$root/bin/shunt" test "$root/share/shunt/rules/x12/remit_gl.map" >/dev/null
man -l "$root/share/man/man1/shunt.1" >/dev/null 2>&1 || ! command -v man >/dev/null
bash -n "$root/share/bash-completion/completions/shunt"
echo "package: installed, linked and run in four ways"
