# Shared by deploy/up, deploy/down, deploy/test and deploy/services/control. Sourced, never run.
#
# The rules all of them keep:
#   - a process is ours only if its pid file *and* its start time still match, so that a pid the system has given to
#     somebody else since is never signalled;
#   - we wait on conditions with a deadline, never on a guess of seconds;
#   - an error says what to do next.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${TS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/touchstream}
STARTED_AT=$(date +%s)

say()  { printf '[%3ds] %s\n' $(( $(date +%s) - STARTED_AT )) "$*"; }
warn() { printf '[%3ds] warning: %s\n' $(( $(date +%s) - STARTED_AT )) "$*" >&2; }

# die MESSAGE [REMEDY]
die() {
    printf '\nerror: %s\n' "$1" >&2
    [ -n "${2:-}" ] && printf '  try: %s\n' "$2" >&2
    exit 1
}

# Start time in clock ticks since boot, plus the boot: together with the pid it names one process for ever.
process_identity() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) }                      # the command name may hold blanks and brackets; cut behind it
    set -- $stat
    [ "$1" = Z ] && return 1               # a zombie answers signals and does nothing
    printf '%s %s\n' "${20}" "$(cat /proc/sys/kernel/random/boot_id)"
}

# process_is_ours PIDFILE: true while the process we started under this name runs.
process_is_ours() {
    local pid identity
    pid=$(cat "$1" 2>/dev/null) && identity=$(process_identity "$pid") || return 1
    [ "$identity" = "$(cat "${1%.pid}.started" 2>/dev/null)" ]
}

# process_start NAME RUN_DIR COMMAND…: in the background, in a session of its own, output to RUN_DIR/log/NAME.log.
# The lock on file descriptor 9 is not handed on: a service must not keep the next deploy/up out.
process_start() {
    local name=$1 run=$2; shift 2
    mkdir -p "$run/log"
    setsid nohup "$@" >>"$run/log/$name.log" 2>&1 </dev/null 9>&- &
    local pid=$!
    # setsid forks when its caller leads a group; in a script it does not, so $! is the program itself.
    process_identity "$pid" >"$run/$name.started" || true
    echo "$pid" >"$run/$name.pid"
}

# process_stop NAME RUN_DIR [SECONDS]: SIGTERM, then SIGKILL after the deadline. Forgets the pid file.
process_stop() {
    local name=$1 run=$2 seconds=${3:-15} pid
    if process_is_ours "$run/$name.pid"; then
        pid=$(cat "$run/$name.pid")
        kill -TERM "$pid" 2>/dev/null
        wait_until "$seconds" process_is_gone "$run/$name.pid" || {
            warn "$name (pid $pid) did not stop within $seconds s; killing it"
            kill -KILL "$pid" 2>/dev/null
            wait_until 5 process_is_gone "$run/$name.pid"
        }
    fi
    rm -f "$run/$name.pid" "$run/$name.started"
}
process_is_gone() { ! process_is_ours "$1"; }

# wait_until SECONDS COMMAND…: true as soon as the command is, false at the deadline.
wait_until() {
    local deadline=$(( $(date +%s) + $1 )); shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -ge "$deadline" ] && return 1
        sleep 0.1
    done
}

port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# need_free_port PORT WHAT: refuse early, and name who sits there if the system tells us. What we propose instead lies below the
# range that the system hands to outgoing connections, any of which could take a port just before we listen on it.
need_free_port() {
    port_is_open "$1" || return 0
    local who
    who=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:((\("[^"]*",pid=[0-9]*\).*/\1/p' | head -n 1)
    die "port $1 (for $2) is taken${who:+ by $who}" "another range of ports: --ports $(( ${base:-$1} > 20000 ? 18080 : ${base:-$1} + 10000 ))"
}

# need_space DIRECTORY MEGABYTES
need_space() {
    mkdir -p "$1" || die "cannot create $1" "check the permissions of its parent folder"
    local free
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$2" ] || die "only $free MB free under $1, $2 MB needed" "free some space, or point TS_CACHE elsewhere"
}

java_find() {
    local java=${JAVA_HOME:+$JAVA_HOME/bin/java}
    [ -n "$java" ] && [ -x "$java" ] || java=$(command -v java) ||
        die "no java found (Kafka and the schema registry need 17 or newer)" "apt-get install openjdk-17-jre-headless"
    local version
    version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${version:-0}" -ge 17 ] || die "java at $java is version ${version:-unknown}; 17 or newer is needed" "apt-get install openjdk-17-jre-headless, or set JAVA_HOME"
    echo "$java"
}
