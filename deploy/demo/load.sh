# The demo: deliveries with a story (parcels.awk), three small real sets, all with their times moved to now, then a trickle of made-up live traffic. Sourced by deploy/up.
# Importing again would change nothing but the times (they are moved to a later now), so it is done once per data folder.

demo_import() {
    local program=$1 run=$2 file=$3 mapping=$4
    timeout 120 "$program" import --config "$run/touchstream.yaml" --mapping "$mapping" --rebase now \
        "$ROOT/deploy/demo/$file" >>"$run/log/import.log" 2>&1 9>&-
}

demo_is_there() {
    [ "$(timeout 5 redis-cli -p "$2" HEXISTS ts:kpi:nps:90d all 2>/dev/null)" = 1 ]
}

demo_load() {
    local run=$1 base=$2 program name
    program=$(program_path)
    if [ ! -f "$run/data/demo.loaded" ]; then
        awk -f "$ROOT/deploy/demo/parcels.awk" >"$run/data/parcels.ndjson" &&
            timeout 120 "$program" import --config "$run/touchstream.yaml" --rebase now "$run/data/parcels.ndjson" >>"$run/log/import.log" 2>&1 9>&- || {
                tail -n 5 "$run/log/import.log" >&2
                die "the demo's deliveries could not be loaded (log: $run/log/import.log)" "deploy/up --no-demo starts without it"
            }
        rm -f "$run/data/parcels.ndjson"
        for name in "music_orders.txt cdnow" "garden_store_nps.csv $ROOT/deploy/demo/garden_store_nps.jq" "travel_reviews.csv trustpilot"; do
            demo_import "$program" "$run" "${name%% *}" "${name#* }" || {
                tail -n 5 "$run/log/import.log" >&2
                die "the demo data (${name%% *}) could not be loaded (log: $run/log/import.log)" "deploy/up --no-demo starts without it"
            }
        done
        touch "$run/data/demo.loaded"
        say "demo data loaded: $(cat "$ROOT"/deploy/demo/*.csv "$ROOT"/deploy/demo/*.txt | wc -l) lines of three real sets"
    fi
    # Two events a second: enough to see it live, too little to feel.
    process_is_ours "$run/generate.pid" ||
        process_start generate "$run" nice "$program" generate --config "$run/touchstream.yaml" --customers 2000 --rate 2 --events 100000000
    wait_until 60 demo_is_there "$run" $((base + 6)) || die "no KPI reached Redis within 60 s" "see $run/log/touchstream.log"
    nps=$(redis-cli -p $((base + 6)) HGET ts:kpi:nps:90d all | sed -n 's/.*"value": *\([-0-9.]*\).*/\1/p')
    say "KPIs are in Redis: NPS over 90 days is $(printf %.1f "$nps")"
}

demo_load "$run" "$base"
