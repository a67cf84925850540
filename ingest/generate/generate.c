#include "ingest/generate/generate.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "ingest/progress.h"
#include "schemas/json_form.h"

#include <stdlib.h>
#include <time.h>

/* An event comes again within the next 5,000, and before its customer has had a dozen others: who looks for duplicates among a customer's
 * latest events, as other engines do, finds these too. */
enum { DUPLICATE_SLOTS = 8192, DUPLICATE_WITHIN = 5000, OWNERS = 65536, OWN_EVENTS_MOST = 12 };

/* An event to be sent again when its turn comes. */
struct echo {
    char *bytes; /* the value, then the key */
    size_t value_size, key_size;
    int64_t timestamp_ms;
    uint32_t owner; /* the customer's place in `waiting` */
    uint32_t own_events; /* of the customer, since */
};

struct generation {
    const struct generate_options *options;
    const struct outlet *outlet;
    atomic_bool *stop;
    void *message_context;
    struct random random; /* for duplicates: they must not change the lives */
    struct echo echoes[DUPLICATE_SLOTS];
    uint16_t waiting[OWNERS]; /* slot + 1 of a customer's echo; customers may share a place, then one has none */
    uint32_t urgent;          /* slot + 1 of the echo to be told next whatever its turn; 0: none */
    struct bytes value;
    uint64_t sent;
};

static void pause_us(int64_t us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

static bool put_out(struct generation *generation, struct view key, struct view value, int64_t timestamp_ms)
{
    const struct outlet *outlet = generation->outlet;
    if (generation->options->out) {
        fwrite(value.data, 1, value.size, generation->options->out);
        return !ferror(generation->options->out);
    }
    enum outcome outcome;
    while ((outcome = outlet->publish(outlet->target, outlet->touchpoints_topic, key, value, timestamp_ms,
                                      generation->message_context)) == OUTCOME_RETRY &&
           !atomic_load(generation->stop))
        pause_us(2000);
    return outcome == OUTCOME_OK;
}

static void encode(struct generation *generation, const struct touchpoint *touch)
{
    bytes_clear(&generation->value);
    if (generation->options->out) {
        record_to_json(&generation->value, &touchpoint_shape, touch);
        bytes_append_byte(&generation->value, '\n');
    } else {
        outlet_encode(generation->outlet, touch, &generation->value);
    }
}

static void echo_plan(struct generation *generation, const struct touchpoint *touch)
{
    uint32_t owner = (uint32_t)hash_bytes(touch->customer_id) % OWNERS, own = generation->waiting[owner];
    if (own && ++generation->echoes[own - 1].own_events >= OWN_EVENTS_MOST)
        generation->urgent = own;
    if (random_unit(&generation->random) >= generation->options->duplicates)
        return;
    uint32_t slot = (uint32_t)((generation->sent + 1 + random_below(&generation->random, DUPLICATE_WITHIN)) % DUPLICATE_SLOTS);
    struct echo *echo = &generation->echoes[slot];
    if (echo->bytes || own)
        return;
    generation->waiting[owner] = (uint16_t)(slot + 1);
    *echo = (struct echo){memory_allocate(generation->value.size + touch->customer_id.size), generation->value.size,
                          touch->customer_id.size, touch->received_at_ms, owner, 0};
    memcpy(echo->bytes, generation->value.data, echo->value_size);
    memcpy(echo->bytes + echo->value_size, touch->customer_id.data, echo->key_size);
}

/* true: an event was due to be sent again, and was. Where little happens in much time, its turn may come weeks later: no sender tries
 * for so long, and nobody promises to know it again after 30 days (READINGS 2). */
static bool echo_tell(struct generation *generation, int64_t now_ms, bool *is_good)
{
    struct echo *echo = &generation->echoes[generation->urgent ? generation->urgent - 1 : generation->sent % DUPLICATE_SLOTS];
    generation->urgent = 0;
    if (!echo->bytes)
        return false;
    bool is_too_old = now_ms - echo->timestamp_ms > DAYS(7);
    if (!is_too_old)
        *is_good = put_out(generation, view_of(echo->bytes + echo->value_size, echo->key_size),
                           view_of(echo->bytes, echo->value_size), echo->timestamp_ms);
    generation->waiting[echo->owner] = 0;
    free(echo->bytes);
    *echo = (struct echo){0};
    return !is_too_old;
}

/* With a rate: sleeps until the next event's turn. */
static void pace(const struct generation *generation, int64_t begun_us)
{
    double rate = generation->options->rate;
    for (;;) {
        int64_t left_us = begun_us + (int64_t)((double)generation->sent / rate * 1e6) - clock_monotonic_us();
        if (left_us <= 500 || atomic_load(generation->stop))
            return;
        pause_us(left_us > 100000 ? 100000 : left_us);
    }
}

static int64_t event_time(const struct generation *generation, struct clock *clock)
{
    const struct generate_options *options = generation->options;
    if (options->rate > 0)
        return clock_now_ms(clock);
    return options->start_ms + (int64_t)((double)options->span_ms * ((double)generation->sent / (double)options->events));
}

uint64_t generate_run(const struct generate_options *options, const struct outlet *outlet, struct clock *clock,
                      atomic_bool *stop, void *message_context)
{
    struct generation *generation = memory_zeroed(1, sizeof *generation);
    *generation = (struct generation){.options = options, .outlet = outlet, .stop = stop, .message_context = message_context};
    random_init(&generation->random, options->lives.seed + 1);
    struct lives *lives = lives_create(&options->lives);
    struct progress progress;
    struct touchpoint touch;
    int64_t begun_us = clock_monotonic_us();
    bool is_good = true;
    progress_begin(&progress, "generate", options->events);
    while (is_good && generation->sent < options->events && !atomic_load(stop)) {
        if (options->rate > 0)
            pace(generation, begun_us);
        int64_t now_ms = event_time(generation, clock);
        if (!echo_tell(generation, now_ms, &is_good)) {
            lives_next(lives, now_ms, &touch);
            encode(generation, &touch);
            is_good = put_out(generation, touch.customer_id, bytes_view(&generation->value), touch.received_at_ms);
            echo_plan(generation, &touch);
        }
        generation->sent += is_good;
        if (!options->out && (generation->sent & 4095) == 0)
            progress_tell(&progress, generation->sent, generation->sent);
    }
    if (!options->out && options->rate <= 0)
        progress_end(&progress, generation->sent, generation->sent);
    uint64_t sent = generation->sent;
    for (size_t i = 0; i < DUPLICATE_SLOTS; i++)
        free(generation->echoes[i].bytes);
    bytes_finish(&generation->value);
    lives_destroy(lives);
    free(generation);
    return sent;
}
