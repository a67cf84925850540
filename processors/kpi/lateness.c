#include "processors/kpi/lateness.h"

#include "base/clock.h"
#include "base/memory.h"

static const int64_t longest_upload_ms = HOURS(1); /* what comes without an end is looked at so often */
static const int64_t longest_wait_ms = DAYS(8);    /* a file a week; what is later is history that somebody found */

/* The next upload is expected within so many times as long as they are late; what comes within a part of that is the same one. */
enum { LATE_TIMES = 4, SAME_PART = 4, SPARE_PART = 8 };

struct lateness *lateness_create(void)
{
    struct lateness *lateness = memory_zeroed(1, sizeof *lateness);
    lateness->on_since_ms = lateness->over_at_ms = lateness->stale_from_ms = INT64_MAX;
    lateness->newest_ms = lateness->complete_until_ms = lateness->heard_ms = INT64_MIN;
    return lateness;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void lateness_hear(struct lateness *lateness, int64_t clock_ms, int64_t late_ms, int64_t newest_ms, int64_t quiet_ms, bool is_most)
{
    struct upload *upload = lateness->uploads;
    bool is_same = upload->late_ms > 0 && clock_ms - upload->last_ms < most(late_ms, upload->late_ms) / SAME_PART;
    if (!is_same) {
        memmove(upload + 1, upload, (UPLOADS_KEPT - 1) * sizeof *upload);
        *upload = (struct upload){.first_ms = clock_ms};
    }
    upload->last_ms = clock_ms;
    upload->late_ms = most(late_ms, upload->late_ms);
    upload->is_most |= is_most;
    lateness->newest_ms = most(newest_ms, lateness->newest_ms);
    if (lateness->on_since_ms == INT64_MAX)
        lateness->on_since_ms = clock_ms;
    int64_t long_at_ms = lateness->on_since_ms + longest_upload_ms;
    lateness->over_at_ms = clock_ms + quiet_ms < long_at_ms ? clock_ms + quiet_ms : long_at_ms;
}

void lateness_over(struct lateness *lateness)
{
    lateness->complete_until_ms = most(lateness->complete_until_ms, lateness->newest_ms);
    lateness->newest_ms = INT64_MIN;
    lateness->on_since_ms = lateness->over_at_ms = lateness->stale_from_ms = INT64_MAX;
}

void lateness_look_again(struct lateness *lateness, int64_t clock_ms, int64_t stale_from_ms)
{
    lateness->heard_ms = clock_ms;
    if (stale_from_ms < lateness->stale_from_ms)
        lateness->stale_from_ms = stale_from_ms;
    if (lateness->over_at_ms == INT64_MAX)
        lateness->on_since_ms = lateness->over_at_ms = clock_ms;
}

/* Of three the one in the middle, of two the one that is less late: neither an accident nor a day with little to send is the rule. 0: no rhythm. */
static int64_t rhythm_of(const struct upload uploads[UPLOADS_KEPT])
{
    int64_t a = uploads[0].late_ms, b = uploads[1].late_ms, c = uploads[2].late_ms;
    int64_t low = a < b ? a : b, high = most(a, b), middle = c > high ? high : most(c, low);
    if (uploads[1].first_ms - uploads[2].last_ms > LATE_TIMES * middle)
        middle = low;
    bool is_one = middle <= longest_wait_ms && uploads[0].first_ms - uploads[1].last_ms <= LATE_TIMES * middle;
    return is_one ? middle : 0;
}

int64_t lateness_wait_ends_ms(const struct lateness *lateness)
{
    int64_t rhythm = lateness ? rhythm_of(lateness->uploads) : 0;
    return rhythm ? lateness->uploads[0].last_ms + LATE_TIMES * rhythm : INT64_MAX;
}

int64_t lateness_wait_ms(const struct lateness *lateness, int64_t clock_ms)
{
    int64_t rhythm = lateness ? rhythm_of(lateness->uploads) : 0;
    return rhythm && clock_ms < lateness_wait_ends_ms(lateness) ? rhythm + rhythm / SPARE_PART : 0;
}

bool lateness_is_most(const struct lateness *lateness, int64_t clock_ms)
{
    return lateness_wait_ms(lateness, clock_ms) > 0 && lateness->uploads[0].is_most && lateness->uploads[1].is_most;
}

bool lateness_is_past(const struct lateness *lateness, int64_t clock_ms)
{
    const struct upload *last = lateness->uploads;
    int64_t late_ms = last->late_ms < longest_wait_ms ? last->late_ms : longest_wait_ms;
    return lateness->over_at_ms == INT64_MAX && clock_ms - last->last_ms > LATE_TIMES * late_ms && clock_ms - lateness->heard_ms > DAYS(1);
}

/* --- in checkpoints */

void lateness_save(const struct lateness *lateness, struct bytes *out)
{
    for (size_t i = 0; i < UPLOADS_KEPT; i++) {
        pack(out, lateness->uploads[i].first_ms);
        pack(out, lateness->uploads[i].last_ms);
        pack(out, lateness->uploads[i].late_ms * 2 + lateness->uploads[i].is_most);
    }
    pack(out, lateness->on_since_ms);
    pack(out, lateness->over_at_ms);
    pack(out, lateness->newest_ms);
    pack(out, lateness->complete_until_ms);
    pack(out, lateness->stale_from_ms);
    pack(out, lateness->heard_ms);
    pack(out, lateness->row);
    pack(out, lateness->row_n);
}

struct lateness *lateness_load(struct unpacker *in)
{
    struct lateness *lateness = lateness_create();
    for (size_t i = 0; i < UPLOADS_KEPT; i++) {
        lateness->uploads[i].first_ms = unpack_instant(in);
        lateness->uploads[i].last_ms = unpack_instant(in);
        int64_t late_ms = unpack_within(in, 0, 2 * PACKED_INSTANT_MOST);
        lateness->uploads[i].late_ms = late_ms / 2;
        lateness->uploads[i].is_most = late_ms & 1;
    }
    lateness->on_since_ms = unpack_instant_or(in, INT64_MAX);
    lateness->over_at_ms = unpack_instant_or(in, INT64_MAX);
    lateness->newest_ms = unpack_instant_or(in, INT64_MIN);
    lateness->complete_until_ms = unpack_instant_or(in, INT64_MIN);
    lateness->stale_from_ms = unpack_instant_or(in, INT64_MAX);
    lateness->heard_ms = unpack_instant_or(in, INT64_MIN);
    lateness->row = unpack_index(in);
    lateness->row_n = unpack_sum(in);
    return lateness;
}
