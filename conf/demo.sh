#!/bin/sh
# demo.sh start|stop|clean -- the demo server of "make run": its own Apache on
# 127.0.0.1:$PORT with a small store, all of it in $BUILD/run. A server that
# runs there already is replaced, and its store with it.
set -eu

build=$(cd "${BUILD:-build}" 2>/dev/null && pwd -P) || exit 0
run=$build/run
state=$(cd "$run" 2>/dev/null && pwd -P) || state=$run

# End the server whose files are in $state, if there is one.
stop() {
    [ -e "$state/httpd.pid" ] || return 0
    pid=$(cat "$state/httpd.pid")
    # Another program may have the number by now.
    if ! tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
        grep -qF "$state/demo.conf"; then
        return 0
    fi
    kill "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -e "/proc/$pid" ] || return 0
        sleep 0.5
    done
    echo "the demo server, process $pid, does not stop" >&2
    exit 1
}

# Remove $run and, if it is a link, the folder that it leads to.
clean() {
    [ ! -L "$run" ] || rm -rf "$(readlink "$run")"
    rm -rf "$run"
}

# Make $run. As root the server's children are an unprivileged user, who must
# reach it: where that user cannot, it is a link to a temporary folder.
prepare() {
    user=$(id -un) group=$(id -gn) as_user=
    if [ "$(id -u)" -eq 0 ]; then
        user=www-data
        id "$user" >/dev/null 2>&1 || user=nobody
        group=$(id -gn "$user")
        as_user="setpriv --reuid=$user --regid=$group --clear-groups"
    fi

    clean
    mkdir "$run"
    # Word splitting makes the command.
    # shellcheck disable=SC2086
    if ! $as_user test -x "$run"; then
        rmdir "$run"
        folder=$(mktemp -d "${TMPDIR:-/tmp}/userprofile-demo.XXXXXX")
        chmod 755 "$folder"
        ln -s "$folder" "$run"
    fi
    state=$(cd "$run" && pwd -P)
    mkdir -m 700 "$state/store"
    chown "$user:$group" "$state/store"
    cp -R conf/demo.conf conf/profile "$state"
}

ctl() {
    "$build/userprofilectl" -s "lmdb:$state/store" "$@"
}

# Fill the store: an organisation, its administrator, two users, a password for
# each, and a token for the administrator, which ends up in $token.
fill() {
    ctl init
    ctl org add example --name Example
    ctl user add example admin --first-name Ada --last-name Admin
    ctl member add --org example admin ORG_OWNER
    ctl user add example gigi --first-name Gigi --last-name Giraffe \
        --nick-name Gi --language en --gender GENDER_FEMALE
    ctl user add example leo --first-name Leo --last-name Lion
    token=$(ctl token add admin --expires 30d)

    password=$(openssl passwd -apr1 demo)
    for name in admin gigi leo; do
        echo "$name:$password"
    done >"$state/passwords"
}

start() {
    if ! said=$(RUN="$state" PORT="$PORT" MODULES="$LIBEXECDIR" \
        MODULE="$build/mod_userprofile.so" \
        SERVER_USER="$user" SERVER_GROUP="$group" \
        "$HTTPD" -f "$state/demo.conf" -k start 2>&1); then
        case $said in
        *AH00072*)
            echo "Port $PORT of 127.0.0.1 is in use; choose another, such as" \
                "make run PORT=$((PORT + 1))" >&2
            ;;
        *)
            echo "Apache did not start: $said" >&2
            [ ! -e "$state/error.log" ] || tail -n 20 "$state/error.log" >&2
            ;;
        esac
        exit 1
    fi
}

# What a shell can source: the token, the address, the store.
write_env() {
    cat >"$state/env" <<END
TOKEN=$token
URL=http://127.0.0.1:$PORT
USERPROFILE_STORE=lmdb:$state/store
export TOKEN URL USERPROFILE_STORE
END
}

# Bodies end without a newline, as clients get them: curl's -w adds one.
usage() {
    shown=${run#"$PWD"/}
    curl="curl -iw '\\n' -H \"Authorization: Bearer \$TOKEN\""
    cat <<END

A demo server runs on 127.0.0.1:$PORT; "make stop" ends it. Its files are in
$shown. To paste, first of all:

. $shown/env

# an update, of another name each time
$curl -H Content-Type:application/json -X PUT \$URL/management/v1/users/gigi/profile -d '{"firstName":"Gigi","lastName":"Giraffe","displayName":"Gigi at '\$(date +%T)'"}'

# a read, and an error: there is no such user
$curl \$URL/management/v1/users/gigi/profile
$curl \$URL/management/v1/users/nobody/profile

# an update of one field, in the v2 API; the second time it changes nothing
$curl -H Content-Type:application/json -X PATCH \$URL/v2/users/leo -d '{"human":{"profile":{"nickName":"Leo the Loud"}}}'

# a read by gRPC, with buf (npm install -g @bufbuild/buf)
buf curl --protocol grpc --http2-prior-knowledge --schema src/wire/proto -H "Authorization: Bearer \$TOKEN" -d '{"userId":"gigi"}' \$URL/zitadel.user.v2.UserService/GetUserByID

# the store
${build#"$PWD"/}/userprofilectl user list example

# the profile page: sign in as gigi, leo or admin, with the password demo
http://127.0.0.1:$PORT/people/profile/

# the same for the owner of a token, such as the administrator's: echo \$TOKEN
http://127.0.0.1:$PORT/profile/

END
}

case ${1:-} in
start)
    stop
    prepare
    fill
    start
    write_env
    usage
    ;;
stop) stop ;;
clean)
    stop
    clean
    ;;
*)
    echo "usage: demo.sh start|stop|clean" >&2
    exit 2
    ;;
esac
