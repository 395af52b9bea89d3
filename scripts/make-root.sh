#!/bin/sh
# Build Debian sid with its newest git in the new directory ROOT, as root on Debian:
#     make-root.sh ROOT [PYTHON…]
# The Pythons are by default all that the suite runs with: python3.14, python3.15 and pypy3. It takes three minutes and
# 700 MB. Nothing is installed outside of ROOT, nothing stays mounted, and `rm -r ROOT` removes it.
set -eu
root=$(realpath -m "$1") && shift
[ $# != 0 ] || set -- python3.14 python3.15 pypy3
packages=ca-certificates,e2fsprogs,git,procps,python3-pip,strace$(printf ',%s-venv' "$@")
[ -e /etc/debian_version ] || { echo "this is not Debian" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "only root can build a system" >&2; exit 1; }
mkdir "$root"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
apt-get -qq update
if ! command -v debootstrap > /dev/null; then
    (cd "$tools" && apt-get -qq download debootstrap && dpkg-deb -x debootstrap_*.deb .)
    DEBOOTSTRAP_DIR=$tools/usr/share/debootstrap
    export DEBOOTSTRAP_DIR
    PATH=$tools/usr/sbin:$PATH
fi
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
debootstrap --variant=minbase --include="$packages" sid "$root" "$mirror"
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
