#!/bin/bash
# Runs a command in the root of wine.py: enter_root.sh ROOT FOLDER... -- COMMAND...
# Each FOLDER is there at its own path, and the current one must be in one of them. To be run in a mount namespace of its
# own (`unshare --mount`), with which the mounts end.
set -e
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    # One folder may be in another.
    mountpoint -q "$root$1" || mount --rbind "$1" "$root$1"
    shift
done
shift
exec chroot "$root" /usr/bin/env -C "$PWD" "$@"
