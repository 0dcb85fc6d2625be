#!/bin/sh
# A second pair of eyes: runs the README's two commands on a minimal Debian 12 and 13, as a user without rights, on a copy of the
# code that cannot be written to. As root, with debootstrap: deploy/try_on_debian.sh [FOLDER] [SUITE...]; FOLDER is kept, and used
# again. COMMANDS names other commands. Nothing is there but what the README lists; package mirror, proxy, certificates and pip's
# configuration are those of this machine.
set -eu
code=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-/var/tmp/uppklarat-debian}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- bookworm trixie
configured=$(env | grep -E '^(PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|PROXY)|[A-Za-z]+_proxy|[A-Z]+_PROXY)=' || true)
commands=${COMMANDS:-make run; make test}
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
packages=$(sed -n 's/.*`apt install \([^`]*\)`.*/\1/p' "$code/README.md" | head -n 1 | tr ' ' ,)
status=0

for suite; do
    root=$folder/$suite
    if [ ! -e "$root/.complete" ]; then
        rm -rf "$root"
        debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$folder.$suite.log" 2>&1
        chroot "$root" useradd --create-home visitor
        touch "$root/.complete"
    fi
    # The network of this machine, and what its administrator configured.
    for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/xdg/pip /etc/ssl/certs/ca-certificates.crt; do
        if [ -e "$file" ]; then mkdir -p "$root$(dirname "$file")" && rm -rf "${root:?}$file" && cp -rL "$file" "$root$file"; fi
    done
    rm -rf "$root/srv/uppklarat"
    mkdir "$root/srv/uppklarat"
    tar -cf - -C "$code" --exclude=./.venv --exclude=./data --exclude=./.git --exclude=./.env --exclude=__pycache__ \
        --exclude='./.*_cache' --exclude=./.hypothesis . | tar -xf - -C "$root/srv/uppklarat" --no-same-owner
    chmod -R a+rX,a-w "$root/srv/uppklarat"
    echo "== $suite: Debian $(cat "$root/etc/debian_version"), $(chroot "$root" python3 --version), packages $packages"
    old=$IFS
    IFS=';'
    for command in $commands; do
        IFS=$old
        command=$(echo "$command" | sed 's/^ *//')
        began=$(date +%s) ended=0
        # Its own processes, mounts and /tmp; no Git, no Chromium, no root.
        unshare --mount --pid --fork --kill-child sh -eu -c '
            mount -t proc proc "$1/proc"
            mount -t tmpfs tmpfs "$1/dev/shm"
            exec chroot --userspec=visitor:visitor "$1" env -i -C /srv/uppklarat HOME=/home/visitor \
                PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 $3 sh -c "$2"' try "$root" "$command" "$configured" \
            >"$folder.$suite.out" 2>&1 || ended=$?
        echo "-- $command: exit code $ended after $(($(date +%s) - began)) s"
        grep -v "^WARNING: Location" "$folder.$suite.out" | tail -n "${LINES_SHOWN:-6}"
        [ "$ended" -eq 0 ] || status=1
    done
    IFS=$old
done
exit $status
