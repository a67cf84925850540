# Made up, and so marked (source «demo:parcels»): two weeks of deliveries, sixty an hour, of which one in twenty comes late;
# in the last two days it is one in four of those by the carrier of region «north», and the page shows the shift.
# `import --rebase now` moves the last delivery to now.
BEGIN {
    srand(7)
    days = 14
    for (hour = 0; hour < 24 * days; hour++) {
        for (i = 0; i < 60; i++) {
            region = rand() < 0.5 ? "north" : "south"
            late = rand() < (hour >= 24 * (days - 2) && region == "north" ? 0.45 : 0.05)
            at = sprintf("2026-01-%02dT%02d:%02d:%02d.000Z", 1 + int(hour / 24), hour % 24, i, rand() * 60)
            promised = sprintf("2026-01-%02dT%02d:00:00.000Z", 1 + int(hour / 24) + (late ? 0 : 1), late ? 0 : 23)
            printf "{\"event_id\": \"parcel-%d\", \"customer_id\": \"parcel-%d\", \"occurred_at\": \"%s\", \"source\": \"demo:parcels\", " \
                "\"channel\": \"POST\", \"region\": \"%s\", \"type\": \"OrderDelivered\", \"data\": {\"order_id\": \"P%d\", \"promised_at\": \"%s\"}}\n",
                hour * 60 + i, int(rand() * 2000), at, region, hour * 60 + i, promised
        }
    }
}
