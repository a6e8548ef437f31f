#!/bin/sh
# profile.sh USER -- curl reads and changes a nick name. $URL and $TOKEN say where
# and who; "make run" leaves them in build/run/env.
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# Sets $status, $etag and $body.
call() {
    status=$(curl -sS -D "$folder/head" -o "$folder/body" -w '%{http_code}' \
        -H "Authorization: Bearer $TOKEN" "$@" "$URL/v2/users/$user")
    etag=$(sed -n 's/^etag: *\([^[:space:]]*\).*/\1/Ip' "$folder/head")
    body=$(cat "$folder/body")
}

# The text of the member $1 in $body.
member() {
    echo "$body" | sed 's/.*"'"$1"'":"\([^"]*\)".*/\1/'
}

# Change it to $1 if the user is still the one with $2; if not, look again.
change() {
    call -X PATCH -H 'Content-Type: application/json' ${2:+-H "If-Match: $2"} \
        -d '{"human":{"profile":{"nickName":"'"$1"'"}}}'
    case $status/$body in
    200/*) echo "changed to $1" ;;
    412/*) call && echo "conflict: it is $(member nickName) now" && change "$1" "$etag" ;;
    */*fieldViolations*) echo "refused: $(member field): $(member description)" ;;
    *) echo "failed: $(member message)" ;;
    esac
}

user=$1
call && first=$etag && echo "read: it is $(member nickName)"
change Tall "$first"
change Small "$first" # of before the first change
change "$(printf '%201s' '' | tr ' ' x)" ''
