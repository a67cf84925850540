# Building, configuring and starting `touchstream` itself. Sourced after common.sh.

program_path() { echo "$ROOT/build/${1:-release}/app/touchstream"; }

# program_build LOG: the release build of the program alone (the tests have builds of their own).
program_build() {
    command -v ccache >/dev/null && export CMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER:-ccache}
    ( cd "$ROOT" && cmake --preset release &&
        { [ ! -d app ] || timeout 1200 cmake --build --preset release --target touchstream; } ) >"$1" 2>&1 9>&-
}

# A secret is made once and kept; `down --wipe` forgets it.
program_secret() {
    [ -s "$1" ] || ( umask 077; head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$1" )
    cat "$1"
}

program_write_env() {
    local run=$1 base=$2
    cat >"$run/env" <<ENV
KAFKA=127.0.0.1:$((base + 4))
REGISTRY=http://127.0.0.1:$((base + 3))/apis/ccompat/v7
REDIS=127.0.0.1:$((base + 6))
INGEST_URL=http://127.0.0.1:$((base + 0))
DASHBOARD_URL=http://127.0.0.1:$((base + 1))
METRICS_URL=http://127.0.0.1:$((base + 2))/metrics
TOUCHSTREAM=$(program_path)
CONFIG=$run/touchstream.yaml
INGEST_TOKEN=$(program_secret "$run/ingest.token")
ACT_TOKEN=$(program_secret "$run/act.token")
ENV
    chmod 600 "$run/env"
}

# What differs from the defaults on this installation: addresses and secrets. deploy/touchstream.yaml explains the rest.
# program_write_config RUN BASE [DEMO]
program_write_config() {
    local run=$1 base=$2
    local ingest_token act_token
    ingest_token=$(program_secret "$run/ingest.token") act_token=$(program_secret "$run/act.token")
    ( umask 077; cat >"$run/touchstream.yaml" <<YAML
# Written by deploy/up; deploy/touchstream.yaml shows the other keys.
kafka.brokers: 127.0.0.1:$((base + 4))
registry.url: http://127.0.0.1:$((base + 3))/apis/ccompat/v7
redis.address: 127.0.0.1:$((base + 6))
ingest.listen: 127.0.0.1:$((base + 0))
ingest.token: $ingest_token
dashboard.listen: 127.0.0.1:$((base + 1))
dashboard.token: $act_token
notify.dashboard_url: http://127.0.0.1:$((base + 1))
status.listen: 127.0.0.1:$((base + 2))
YAML
    # The demo's oldest purchase lies 455 days back; it is loaded within seconds, so its shifts can be looked for soon. Its deliveries fall behind in one region.
    [ -z "${3:-}" ] || printf '%s\n' 'journey.revision_horizon: 500d' 'trend.warm_up: 20s' \
        'kpi.rollups: [channel,product,segment,region,team,stage,product+channel]' >>"$run/touchstream.yaml"
    )
    # Not every build has every part: a key the program does not know is left out.
    [ -x "$(program_path)" ] || return 0
    local known key rest
    known=$("$(program_path)" settings | sed -n 's/^| `\([^`]*\)`.*/\1/p')
    while read -r key rest; do
        case $key in
            \#*) echo "$key $rest" ;;
            *) grep -qxF "${key%:}" <<<"$known" && echo "$key $rest" ;;
        esac
    done <"$run/touchstream.yaml" >"$run/touchstream.yaml.new"
    mv "$run/touchstream.yaml.new" "$run/touchstream.yaml"
    chmod 600 "$run/touchstream.yaml"
}

program_answers() {
    process_is_ours "$1/touchstream.pid" || return 0
    curl -fsS -m 2 -o /dev/null "http://127.0.0.1:$(($2 + 2))/readyz"
}

program_start() {
    local run=$1 base=$2 program
    program=$(program_path)
    if ! process_is_ours "$run/touchstream.pid"; then
        need_free_port "$base" "the collector"; need_free_port $((base + 1)) "the dashboard"; need_free_port $((base + 2)) "metrics"
        timeout 60 "$program" topics --config "$run/touchstream.yaml" >"$run/log/topics.log" 2>&1 9>&- || {
            tail -n 5 "$run/log/topics.log" >&2
            die "topics and schemas could not be made (log: $run/log/topics.log)" "deploy/down --wipe && deploy/up"
        }
        process_start touchstream "$run" "$program" run --config "$run/touchstream.yaml"
    fi
    wait_until 60 program_answers "$run" "$base" || {
        tail -n 5 "$run/log/touchstream.log" >&2
        die "touchstream did not become ready within 60 s (log: $run/log/touchstream.log)" "see the last lines of the log"
    }
    process_is_ours "$run/touchstream.pid" || {
        tail -n 5 "$run/log/touchstream.log" >&2
        die "touchstream ended while starting (log: $run/log/touchstream.log)" "see the last lines of the log"
    }
    say "touchstream runs, pid $(cat "$run/touchstream.pid")"
}
