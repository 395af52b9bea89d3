#!/bin/sh
# Add CPython 3.12 for Windows and wine to the Debian system that make-root.sh has built in ROOT, as root:
#     make-windows.sh ROOT
# It needs a CPython 3.12 on PATH, for the pure part of the standard library. The DLLs are the official ones, as the
# package panda3d ships them. There is no git.exe and no sh.exe, and wine makes no links: tests that need them are skipped.
# It takes ten minutes and 1.5 GB, all of it in ROOT.
set -eu
root=$(realpath "$1") enter=$(realpath "$(dirname "$0")")/enter-root.sh
library=$(python3.12 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
mkdir "$root/windows" && cd "$root/windows"
"$enter" "$root" apt-get -qq -o Acquire::Check-Valid-Until=false install --no-install-recommends \
    gcc-mingw-w64-x86-64-win32 wine wine64 > /dev/null
cp -r "$library" Lib
rm -rf Lib/site-packages Lib/lib-dynload Lib/test
mkdir DLLs dl
for_windows="--quiet --only-binary=:all: --platform win_amd64 --python-version 312"
python3.12 -m pip download $for_windows --no-deps --dest dl panda3d
python3.12 - << 'P'
import glob, os, zipfile

wheel = zipfile.ZipFile(*glob.glob("dl/panda3d-*.whl"))
for member in wheel.namelist():
    directory, name = os.path.split(member)
    if directory == "deploy_libs" and not name.startswith(("api-ms", "tcl", "tk", "_tkinter")):
        place = "." if name.lower().startswith(("python3", "vcruntime")) else "DLLs"
        with open(os.path.join(place, name), "wb") as file:
            file.write(wheel.read(member))
P
rm -r dl
# What pyproject.toml names for tests, without the linters, and what pip needs to install the checkout.
python3.12 -m pip install $for_windows --target Lib/site-packages colorama covdefaults detect-secrets editables flake8 \
    flit-core hatchling hypothesis identify jsonschema pip poetry-core pre-commit pytest pytest-cov pytest-randomly \
    pytest-xdist pyyaml rich setuptools shtab validate-pyproject
cat > python.c << 'C'
#include <windows.h>
int wmain(int argc, wchar_t **argv) {
    HMODULE library = LoadLibraryW(L"python312.dll");
    int (*run)(int, wchar_t **) = library ? (void *)GetProcAddress(library, "Py_Main") : 0;
    return run ? run(argc, argv) : 99;
}
C
"$enter" "$root" x86_64-w64-mingw32-gcc-win32 -municode -o python.exe python.c
