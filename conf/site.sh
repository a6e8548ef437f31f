#!/bin/sh
# site.sh install|uninstall -- the part of "make install" that touches Apache's
# configuration: $LOAD loads the module, $CONF configures it. Both are copies of
# files in $DATA; one that is there already is the administrator's and stays. An
# empty $LOAD or $CONF is not installed. $DESTDIR goes before all of these.
set -eu

# Copy userprofile.$1 to $2.
put() {
    [ -n "$2" ] || return 0
    folder=$(dirname "$2")
    if [ ! -d "$DESTDIR$folder" ] && [ ! -d "$folder" ]; then
        echo "$2 was not installed, as there is no folder $folder. On" \
            "Debian, install apache2, and do \"make install\" again;" \
            "elsewhere LOAD= and CONF= say where Apache reads it, or let" \
            "Apache include $DATA/userprofile.$1." >&2
        return 0
    fi
    if [ -e "$DESTDIR$2" ]; then
        echo "  KEEP $DESTDIR$2"
        return 0
    fi
    echo "  INSTALL $DESTDIR$2"
    install -D -m 644 "$DESTDIR$DATA/userprofile.$1" "$DESTDIR$2"
}

# How to load the module, where Debian's a2enmod does that, and unless this is
# to become a package.
say_next() {
    case $LOAD in
    */mods-available/*) ;;
    *) return 0 ;;
    esac
    [ -z "$DESTDIR" ] && [ -e "$LOAD" ] || return 0
    if [ -e "$SBINDIR/a2enmod" ]; then
        echo "To load the module: a2enmod userprofile && apachectl restart" \
            "(as root)"
    else
        echo "There is no $SBINDIR/a2enmod, as apache2 is not" \
            "installed: nothing loads the module yet. Install apache2, and" \
            "then do \"a2enmod userprofile\"." >&2
    fi
}

# Without its module Apache does not start again.
refuse_if_enabled() {
    [ -n "$LOAD" ] || return 0
    enabled=$(dirname "$(dirname "$LOAD")")/mods-enabled/$(basename "$LOAD")
    if [ -L "$DESTDIR$enabled" ] || [ -e "$DESTDIR$enabled" ]; then
        echo "Nothing was removed, as Apache loads the module: first" \
            "\"a2dismod userprofile && apachectl restart\" (as root)." >&2
        exit 1
    fi
}

remove() {
    [ -z "$LOAD" ] || rm -f "$DESTDIR$LOAD"
    if [ -n "$CONF" ] && [ -e "$DESTDIR$CONF" ]; then
        if cmp -s "$DESTDIR$CONF" "$DESTDIR$DATA/userprofile.conf"; then
            rm "$DESTDIR$CONF"
        else
            echo "$DESTDIR$CONF was changed, and stays; without the module" \
                "Apache does not know its directives."
        fi
    fi
    if [ -e "$DESTDIR$STATEDIR" ]; then
        echo "The profiles in $DESTDIR$STATEDIR stay."
    fi
}

case ${1:-} in
install)
    put load "$LOAD"
    put conf "$CONF"
    say_next
    ;;
uninstall)
    refuse_if_enabled
    remove
    ;;
*)
    echo "usage: site.sh install|uninstall" >&2
    exit 2
    ;;
esac
