#!/bin/sh
# Saves what cannot be derived, or puts it back: backup.sh save FOLDER | backup.sh restore FOLDER
#
# Places: UPPKLARAT_LANDING, UPPKLARAT_HOME and UPPKLARAT_PUBLISHED, as the service has them. Saved are the declarations, the
# ledger with the raw rows, what was purged or withheld, and the publications; not the deliveries, nor what a load makes again.
# The key of the pseudonyms is a file of its own (key.tar): keep it apart from the rest, and put it back into the folder to
# restore. Restoring writes into empty places only.
set -eu
: "${UPPKLARAT_LANDING:?}" "${UPPKLARAT_HOME:?}" "${UPPKLARAT_PUBLISHED:?}"
HOME_FILES="ledger.json raw kept.json kept withheld.parquet rejections.json activation.json offence_codes.csv population.csv waivers.yml catalogue.yml"

# pack ARCHIVE FOLDER NAMES: of the names, those that are there
pack() {
    archive=$1 folder=$2 there=""
    shift 2
    for name; do
        if [ -e "$folder/$name" ] || [ -L "$folder/$name" ]; then there="$there $name"; fi
    done
    # shellcheck disable=SC2086  # the names hold no space
    tar -cf "$archive" -C "$folder" -T /dev/null $there
}

save() {
    umask 077
    for place in "$UPPKLARAT_HOME" "$UPPKLARAT_LANDING"; do
        if [ ! -d "$place" ]; then
            echo "backup.sh: $place does not exist: nothing was loaded yet, or it is not mounted" >&2
            exit 2
        fi
    done
    mkdir -p "$1" "$UPPKLARAT_PUBLISHED"
    if [ -n "$(ls -A "$1")" ]; then echo "backup.sh: $1 is not empty" >&2; exit 2; fi
    # Held until this script ends: no load writes meanwhile.
    exec 9>>"$UPPKLARAT_HOME/lock"
    flock 9
    pack "$1/home.tar" "$UPPKLARAT_HOME" $HOME_FILES
    pack "$1/key.tar" "$UPPKLARAT_HOME" pseudonym.key
    pack "$1/declared.tar" "$UPPKLARAT_LANDING" corrections.yml
    (cd "$UPPKLARAT_PUBLISHED" && tar -cf - --exclude=./.draft --exclude=./.current .) >"$1/published.tar"
    (cd "$1" && sha256sum ./*.tar >SHA256SUMS)
    echo "saved in $1; keep key.tar apart from the rest, and put it back here before you restore"
}

restore() {
    for file in SHA256SUMS key.tar; do
        if [ ! -e "$1/$file" ]; then
            echo "backup.sh: $1/$file is missing; put it back from where it is kept, and restore again" >&2
            exit 2
        fi
    done
    (cd "$1" && sha256sum --check --quiet SHA256SUMS)
    for place in "$UPPKLARAT_HOME" "$UPPKLARAT_PUBLISHED"; do
        if [ -n "$(ls -A "$place" 2>/dev/null)" ]; then echo "backup.sh: $place is not empty" >&2; exit 2; fi
    done
    mkdir -p "$UPPKLARAT_LANDING" "$UPPKLARAT_PUBLISHED"
    mkdir -p -m 700 "$UPPKLARAT_HOME"
    tar -xpf "$1/home.tar" -C "$UPPKLARAT_HOME"
    tar -xpf "$1/key.tar" -C "$UPPKLARAT_HOME"
    tar -xpf "$1/declared.tar" -C "$UPPKLARAT_LANDING"
    tar -xpf "$1/published.tar" -C "$UPPKLARAT_PUBLISHED"
    echo "restored; next: uppklarat load (it derives the rest), as the user who owns the places"
}

case "${1-} ${2-}" in
"save "?*) save "$2" ;;
"restore "?*) restore "$2" ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
