#!/bin/sh
# packages.sh PACKAGE... -- installs those of the Debian packages that are
# missing. apt is asked only if one is.
set -eu

if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian: make sure that you have what these packages" \
        "bring: $*" >&2
    exit 0
fi

missing=
for package; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
    *' ok installed') ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null; then
        echo "These Debian packages are missing, and there is no sudo to" \
            "install them with:$missing" >&2
        exit 1
    fi
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >&2
}

echo "installing:$missing" >&2
apt update || echo "apt-get update failed; trying with what apt knows" >&2
# Word splitting makes the list of names.
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing
