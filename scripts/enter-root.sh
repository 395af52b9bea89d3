#!/bin/sh
# Run a command in the system below ROOT, in the same current directory, as root on Linux:
#     enter-root.sh ROOT COMMAND…
# The mounts are in a namespace of their own and end with the command.
set -eu
exec unshare --mount sh -euc '
    root=$1 && shift && mkdir -p "$root$PWD" && cp -L /etc/resolv.conf "$root/etc/"
    for path in /proc /dev /dev/pts "$PWD"; do mount --bind "$path" "$root$path"; done
    exec chroot "$root" sh -c "cd \"\$1\" && shift && exec \"\$@\"" sh "$PWD" "$@"
' sh "$@"
