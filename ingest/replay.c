#include "ingest/replay.h"

#include "base/hash.h"

#include <inttypes.h>
#include <time.h>

/* Of a first attempt there is nothing to be left alone. */
enum { ATTEMPTS_LEAST = 2, ATTEMPTS_MOST = 1000000 };

/* All that a record in touchpoints.rejected may bear, whoever put it there. */
static const char *const codes[] = {"bad_json",   "bad_utf8", "unknown_field", "unknown_type", "unknown_symbol", "missing_field",
                                    "wrong_type", "empty",    "too_large",     "out_of_range", "future",         "too_old",
                                    "too_late",   "bad_time", "wrong_source",  "bad_mapping",  "bad_delta"};
enum { CODE_COUNT = sizeof codes / sizeof *codes };

static bool is_code(const char *text)
{
    for (size_t i = 0; i < CODE_COUNT; i++) {
        if (strcmp(codes[i], text) == 0)
            return true;
    }
    return false;
}

bool replay_options_are_good(const struct replay_options *options, struct bytes *error)
{
    if (options->code && !is_code(options->code)) {
        bytes_printf(error, "--code: '%s' is none of", options->code);
        for (size_t i = 0; i < CODE_COUNT; i++)
            bytes_printf(error, " %s", codes[i]);
        return false;
    }
    if (options->attempts_max < ATTEMPTS_LEAST || options->attempts_max > ATTEMPTS_MOST) {
        bytes_printf(error, "--attempts: %" PRId64 " is not from %d to %d", options->attempts_max, ATTEMPTS_LEAST, ATTEMPTS_MOST);
        return false;
    }
    return true;
}

void replay_init(struct replay *replay)
{
    arena_init(&replay->arena);
}

void replay_finish(struct replay *replay)
{
    map_finish(&replay->attempts, NULL);
    arena_finish(&replay->arena);
    bytes_finish(&replay->scratch);
}

static void **attempt_of(struct replay *replay, const struct rejected *rejected)
{
    uint64_t marks[2] = {hash_bytes(rejected->payload), hash_bytes(rejected->source) ^ rejected->payload.size};
    return map_place(&replay->attempts, view_of(marks, sizeof marks));
}

static bool is_wanted(const struct replay *replay, const struct rejected *rejected)
{
    return (!replay->options.source || view_equal_text(rejected->source, replay->options.source)) &&
           (!replay->options.code || view_equal_text(rejected->code, replay->options.code)) &&
           rejected->attempt < replay->options.attempts_max;
}

void replay_note(struct replay *replay, const struct rejected *rejected)
{
    if (!is_wanted(replay, rejected))
        return;
    void **latest = attempt_of(replay, rejected);
    if ((intptr_t)*latest < rejected->attempt)
        *latest = (void *)(intptr_t)rejected->attempt;
}

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static bool send_again(struct replay *replay, struct touchpoint *touch)
{
    enum outcome outcome;
    while ((outcome = outlet_send(replay->outlet, touch, &replay->scratch, replay->message_context)) == OUTCOME_RETRY &&
           !atomic_load(replay->stop))
        pause_a_moment();
    replay->counts.accepted += outcome == OUTCOME_OK;
    return outcome == OUTCOME_OK;
}

static bool refuse_again(struct replay *replay, const struct touchpoint *read, const struct rejected *before,
                         const struct json_fault *fault)
{
    struct rejected rejected;
    enum outcome outcome;
    accept_rejected(&rejected, read, before->source, before->payload, fault, clock_now_ms(replay->clock), before->attempt + 1);
    while ((outcome = outlet_send_rejected(replay->outlet, &rejected, read->customer_id, &replay->scratch,
                                           replay->message_context)) == OUTCOME_RETRY &&
           !atomic_load(replay->stop))
        pause_a_moment();
    replay->counts.rejected += outcome == OUTCOME_OK;
    return outcome == OUTCOME_OK;
}

static bool judge_and_send(struct replay *replay, struct touchpoint *touch, bool is_good, const struct rejected *before,
                           struct json_fault *fault)
{
    touch->received_at_ms = clock_now_ms(replay->clock);
    is_good = is_good && check_time(touch, touch->received_at_ms, &replay->arena, fault);
    return is_good ? send_again(replay, touch) : refuse_again(replay, touch, before, fault);
}

/* What was no JSON when it was refused under another code is no worse now: its fault is the one it had. */
static const char *same_code(struct replay *replay, const struct rejected *before)
{
    return before->code.size ? arena_text(&replay->arena, before->code) : "wrong_type";
}

static bool send_parked(struct replay *replay, const struct rejected *rejected)
{
    struct touchpoint touch = {0};
    struct json_fault fault;
    const char *why = "not a touchpoint";
    enum outcome outcome;
    while ((outcome = record_reader_read(replay->touchpoints, rejected->payload, &replay->arena, &touch, NULL, &why)) == OUTCOME_RETRY &&
           !atomic_load(replay->stop))
        pause_a_moment();
    if (outcome_is_for_later(outcome))
        return false; /* nobody can say yet whether it is one */
    bool is_good = outcome == OUTCOME_OK;
    if (is_good)
        is_good = check_touchpoint(&touch, &replay->arena, &fault);
    else
        fault = accept_fault(same_code(replay, rejected), VIEW_LITERAL(""), view_of_text(why));
    return judge_and_send(replay, &touch, is_good, rejected, &fault);
}

bool replay_send(struct replay *replay, const struct rejected *rejected)
{
    if (!is_wanted(replay, rejected))
        return true;
    void **latest = attempt_of(replay, rejected);
    if ((intptr_t)*latest != rejected->attempt)
        return true; /* an earlier attempt, or sent in this run already */
    *latest = NULL;
    replay->counts.found++;
    arena_reset(&replay->arena);
    if (rejected->payload.size == 0) {
        replay->counts.passed_over++; /* a tombstone: there is nothing to send */
        return true;
    }
    if (rejected->payload.data[0] == 0 && replay->touchpoints)
        return send_parked(replay, rejected);
    if (!replay->options.mapping && view_equal_text(rejected->code, "bad_mapping")) {
        replay->counts.passed_over++; /* it needs its mapping: a row of a file, or a payload with --mapping */
        return true;
    }
    struct intake intake = {.mapping = replay->options.mapping, .default_source = rejected->source, .arena = &replay->arena};
    struct touchpoint touch;
    struct json_fault fault;
    enum intake_step step;
    bool is_taken = true;
    intake_put_payload(&intake, rejected->payload);
    while (is_taken && (step = intake_take(&intake, &touch, &fault)) != INTAKE_END) {
        if (step != INTAKE_TOUCHPOINT && strcmp(fault.code, "bad_json") == 0)
            fault.code = same_code(replay, rejected);
        is_taken = judge_and_send(replay, &touch, step == INTAKE_TOUCHPOINT, rejected, &fault);
    }
    return is_taken;
}
