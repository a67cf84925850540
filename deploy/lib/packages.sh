# Installing what is missing of deploy/packages. Sourced after common.sh.

# packages_of GROUP…: the names in these groups of deploy/packages.
packages_of() {
    local group
    for group in "$@"; do
        awk -v want="[$group]" '/^# \[/ { on = ($2 == want); next } /^[a-z0-9]/ && on { print $1 }' "$ROOT/deploy/packages"
    done
}

# Any good enough Java, and any Maven or CMake somebody installed by hand, will do.
package_is_there() {
    case $1 in
        openjdk-*) (java_find) >/dev/null 2>&1 && return 0 ;;
        maven)     command -v mvn >/dev/null && return 0 ;;
        nodejs)    command -v node >/dev/null && return 0 ;;
        npm)       command -v npm >/dev/null && return 0 ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

packages_ensure() {
    local missing= name
    for name in $(packages_of "$@"); do
        package_is_there "$name" || missing="$missing $name"
    done
    [ -z "$missing" ] && return 0
    command -v apt-get >/dev/null || die "these packages are missing:$missing" "install them the way this system does (names are Debian's)"
    [ "$(id -u)" = 0 ] || die "these packages are missing:$missing" "sudo apt-get install -y --no-install-recommends$missing"
    say "installing:$missing"
    # We start our own Redis; the packaged service would only sit there afterwards.
    local policy=/usr/sbin/policy-rc.d ours=
    [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && ours=yes; }
    local log; log=$(mktemp) result=0
    { timeout 300 apt-get update -q && DEBIAN_FRONTEND=noninteractive timeout 600 \
        apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 $missing; } >"$log" 2>&1 9>&- || result=$?
    [ "$ours" = yes ] && rm -f $policy
    [ $result = 0 ] || { tail -n 8 "$log" >&2; die "apt could not install:$missing" "fix what apt says above (network? sources? disk?), then again"; }
    rm -f "$log"
}
