/* A worker, turn by turn: its pace, on a clock that does what the wall's may do; and topics that are others all of a sudden. */
#include "engine/worker.h"

#include "base/memory.h"
#include "tests/unit/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

enum { COMMIT_INTERVAL_MS = 50 };

struct scene {
    struct broker broker; /* first */
    struct clock_manual clock;
    struct runner_config config;
    struct worker worker;
    bool has_record;
    struct record record;
    bool is_failing; /* commits */
    const char *ids[ORIGINS];
    bool is_id_late, was_gone, is_gone;
    bool is_output_gone, loses_input; /* with a commit that fails */
    atomic_bool stop;
    int64_t end;
    int commits, tries, ticks;
};

static enum outcome poll(struct broker *broker, size_t records_max, int wait_ms, bool gathers, struct broker_batch *batch)
{
    struct scene *scene = (struct scene *)broker;
    (void)records_max, (void)wait_ms, (void)gathers;
    *batch = (struct broker_batch){.records = &scene->record, .count = scene->has_record, .was_input_gone = scene->was_gone};
    scene->has_record = false;
    return OUTCOME_OK;
}

static enum outcome begin(struct broker *broker)
{
    (void)broker;
    return OUTCOME_OK;
}

static enum outcome send_offsets(struct broker *broker, const struct broker_commit *commits, size_t count)
{
    (void)broker, (void)commits, (void)count;
    return OUTCOME_OK;
}

static enum outcome commit(struct broker *broker)
{
    struct scene *scene = (struct scene *)broker;
    scene->tries++;
    scene->is_gone |= scene->loses_input;
    if (scene->is_failing)
        return OUTCOME_RETRY;
    scene->commits++;
    return OUTCOME_OK;
}

static enum outcome tick(struct broker *broker, int32_t partition, int64_t timestamp_ms)
{
    struct scene *scene = (struct scene *)broker;
    (void)partition;
    assert_int_equal(timestamp_ms, scene->clock.at_ms + scene->clock.set_by_ms);
    scene->ticks++;
    return OUTCOME_OK;
}

static int64_t end_offset(struct broker *broker, int32_t partition)
{
    (void)partition;
    return ((struct scene *)broker)->end;
}

static enum outcome origin_ids(struct broker *broker, bool is_fresh, struct broker_ids *ids)
{
    if (is_fresh && ((struct scene *)broker)->is_id_late)
        return OUTCOME_RETRY;
    for (int origin = 0; origin < ORIGINS; origin++)
        snprintf(ids->of[origin], BROKER_ID_SIZE, "%s", ((struct scene *)broker)->ids[origin]);
    return OUTCOME_OK;
}

static bool is_input_gone(struct broker *broker)
{
    return ((struct scene *)broker)->is_gone;
}

static bool is_output_gone(struct broker *broker)
{
    return ((struct scene *)broker)->is_output_gone;
}

static const struct broker_port port = {.poll = poll, .begin = begin, .send_offsets = send_offsets, .commit = commit, .tick = tick,
                                        .end_offset = end_offset, .origin_ids = origin_ids, .is_input_gone = is_input_gone, .is_output_gone = is_output_gone};

static enum outcome route(void *task, const struct record *record, struct route *out)
{
    (void)task, (void)record;
    *out = (struct route){.event_at_ms = INT64_MIN};
    return OUTCOME_OK;
}

/* Of events: when they happened. */
static enum outcome route_event(void *task, const struct record *record, struct route *out)
{
    (void)task;
    *out = (struct route){.event_at_ms = record->timestamp_ms};
    return OUTCOME_OK;
}

static const char *const outputs[] = {NULL};
static const struct processor processor = {.name = "toy", .outputs = outputs, .route = route},
                              processor_of_events = {.name = "toy", .outputs = outputs, .route = route_event};

static void scene_begin(struct scene *scene)
{
    *scene = (struct scene){.broker = {&port}, .ids = {"first", "its state"}, .end = -1};
    clock_manual_init(&scene->clock, HOURS(1000));
    scene->config = (struct runner_config){.processor = &processor,
                                           .clock = &scene->clock.clock,
                                           .settings = {.commit_interval_ms = COMMIT_INTERVAL_MS,
                                                        .summary_interval_ms = 100,
                                                        .batch_records_max = 1000,
                                                        .batch_bytes_max = 1 << 20,
                                                        .checkpoint_interval_ms = 10000,
                                                        .tick_after_ms = 1000,
                                                        .transaction_timeout_ms = 30000}};
    worker_init(&scene->worker, &scene->config, 0, &scene->broker, NULL);
    struct task *task = task_create(&processor, NULL, 0);
    task->stage = TASK_LIVE;
    task->end_offset = 1;
    task->active_at_ms = task->passed_at_ms = scene->clock.at_ms;
    scene->worker.tasks.tasks = memory_zeroed(1, sizeof(struct task *));
    scene->worker.tasks.tasks[0] = task;
    scene->worker.tasks.count = 1;
}

static void pass(struct scene *scene, int64_t ms)
{
    for (int64_t until_ms = scene->clock.at_ms + ms; scene->clock.at_ms < until_ms; scene->clock.at_ms += 10)
        assert_int_equal(worker_step(&scene->worker), OUTCOME_OK);
}

static void a_clock_that_is_put_back_holds_up_neither_commits_nor_ticks(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    pass(&scene, 100);
    scene.has_record = true;
    pass(&scene, 10);
    scene.clock.set_by_ms -= HOURS(1);
    pass(&scene, 2000);
    assert_true(scene.commits > 0);
    assert_true(scene.ticks > 0);
    worker_finish(&scene.worker);
}

static void a_clock_that_leaps_ahead_makes_no_more_of_them(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene.has_record = true;
    pass(&scene, 100);
    scene.clock.set_by_ms += HOURS(1);
    pass(&scene, 500);
    assert_int_equal(scene.commits, 1);
    assert_int_equal(scene.ticks, 0); /* it has not been silent for a second */
    pass(&scene, 1000);
    assert_int_equal(scene.ticks, 1);
    worker_finish(&scene.worker);
}

/* For two minutes and a bit an event comes five times a second, each `step_ms` after the one before. Gives how many ticks there were. */
static int ticks_among_events(int64_t step_ms)
{
    struct scene scene;
    scene_begin(&scene);
    struct task *task = scene.worker.tasks.tasks[0];
    task->processor = &processor_of_events;
    for (int64_t i = 0; i < 5 * 130; i++) {
        scene.record = (struct record){.offset = i, .timestamp_ms = HOURS(10) + i * step_ms};
        scene.has_record = true;
        pass(&scene, 10);
        task->end_offset = task->next_offset;
        pass(&scene, 190);
    }
    int ticks = scene.ticks;
    worker_finish(&scene.worker);
    return ticks;
}

/* A history that trickles in does not stop the clock, by which deadlines pass. */
static void events_of_the_past_do_not_hold_up_ticks(void **state)
{
    (void)state;
    assert_int_equal(ticks_among_events(200), 0);
    assert_int_equal(ticks_among_events(-200), 2);
    assert_int_equal(ticks_among_events(0), 2);
}

static void what_failed_is_tried_again_in_time_though_the_clock_is_put_back(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene.is_failing = true;
    scene.has_record = true;
    pass(&scene, 2000); /* the pauses have grown to a second */
    scene.clock.set_by_ms -= HOURS(1);
    scene.is_failing = false;
    pass(&scene, 1100);
    assert_int_equal(scene.commits, 1);
    worker_finish(&scene.worker);
}

/* --- another topic */

/* true: the worker stopped, for good. */
static bool stops(struct scene *scene, int64_t within_ms)
{
    for (int64_t until_ms = scene->clock.at_ms + within_ms; scene->clock.at_ms < until_ms; scene->clock.at_ms += 10) {
        if (worker_step(&scene->worker) == OUTCOME_STOP)
            return scene->worker.is_hopeless;
    }
    return false;
}

static void commits_nothing_and_ends_with_another(enum broker_origin origin)
{
    struct scene scene;
    scene_begin(&scene);
    pass(&scene, 1500);
    scene.ids[origin] = ""; /* it is gone, or nobody answers: that may pass */
    pass(&scene, 3000);
    scene.ids[origin] = "second";
    scene.commits = 0;
    assert_true(stops(&scene, 1100));
    assert_int_equal(scene.commits, 0);
    worker_finish(&scene.worker);
}

static void with_a_topic_that_is_made_anew_it_commits_nothing_and_ends(void **state)
{
    (void)state;
    commits_nothing_and_ends_with_another(ORIGIN_INPUT);
    commits_nothing_and_ends_with_another(ORIGIN_CHECKPOINT);
}

static void records_at_offsets_that_were_had_are_not_passed_over_before_it_is_known_whose_they_are(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    pass(&scene, 1010); /* the next look is a second away */
    scene.worker.tasks.tasks[0]->next_offset = 50;
    scene.commits = 0;
    scene.has_record = true;
    scene.is_id_late = true;
    pass(&scene, 300);
    assert_int_equal(worker_close(&scene.worker), OUTCOME_RETRY); /* nor if it is to end meanwhile */
    scene.is_id_late = false;
    pass(&scene, 10); /* delivered twice, then */
    scene.ids[ORIGIN_INPUT] = "second";
    scene.has_record = true;
    scene.worker.closed_at_ms = 0; /* a commit is due */
    scene.worker.tasks.tasks[0]->is_touched = true;
    assert_true(stops(&scene, 50));
    assert_int_equal(scene.commits, 0);
    worker_finish(&scene.worker);
}

static void records_that_come_after_it_was_gone_are_not_committed_before_it_is_known_whose_they_are(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    pass(&scene, 1010);
    scene.commits = 0;
    scene.ids[ORIGIN_INPUT] = "second";
    scene.has_record = scene.was_gone = true;
    scene.worker.tasks.tasks[0]->is_touched = true;
    scene.worker.closed_at_ms = 0;
    assert_true(stops(&scene, 50));
    assert_int_equal(scene.commits, 0);
    worker_finish(&scene.worker);
}

static void whoever_ends_without_an_input_does_not_try_to_commit(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    pass(&scene, 1010);
    scene.worker.tasks.tasks[0]->is_touched = true;
    scene.commits = 0;
    scene.is_gone = true;
    assert_int_equal(worker_close(&scene.worker), OUTCOME_RETRY);
    assert_int_equal(scene.commits, 0);
    scene.is_gone = false; /* it was a moment's */
    assert_int_equal(worker_close(&scene.worker), OUTCOME_OK);
    assert_int_equal(scene.commits, 1);
    worker_finish(&scene.worker);
}

/* Half a minute otherwise; nor is a topic's absence the end of a commit that goes through, having nothing for it. */
static void tries_once_where_a_commit_cannot_be(bool loses_input)
{
    struct scene scene;
    scene_begin(&scene);
    pass(&scene, 1010);
    scene.worker.stop = &scene.stop;
    scene.is_output_gone = !loses_input;
    atomic_store(&scene.stop, true);
    scene.worker.tasks.tasks[0]->is_touched = true;
    scene.commits = 0;
    assert_int_equal(worker_close(&scene.worker), OUTCOME_OK);
    assert_int_equal(scene.commits, 1);
    scene.worker.tasks.tasks[0]->is_touched = true;
    scene.is_failing = true;
    scene.loses_input = loses_input;
    scene.tries = 0;
    assert_int_not_equal(worker_close(&scene.worker), OUTCOME_OK);
    assert_int_equal(scene.tries, 1);
    worker_finish(&scene.worker);
}

static void whoever_ends_without_an_output_or_loses_the_input_tries_to_commit_once(void **state)
{
    (void)state;
    tries_once_where_a_commit_cannot_be(false);
    tries_once_where_a_commit_cannot_be(true);
}

static void a_log_that_lost_its_end_ends_it_but_not_one_whose_end_is_hidden_for_a_moment(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene.ids[ORIGIN_INPUT] = "";
    struct task *task = scene.worker.tasks.tasks[0];
    task->next_offset = 50;
    task->is_placed = true;
    scene.end = 40;
    pass(&scene, 20000);
    scene.end = 50;
    pass(&scene, 2000);
    scene.end = 40;
    pass(&scene, 20000);
    assert_true(stops(&scene, 15000));
    worker_finish(&scene.worker);
}

static void a_marker_tells_of_which_topics_it_is(void **state)
{
    (void)state;
    char text[BROKER_METADATA_MAX];
    struct checkpoint_marker marker;
    struct task *task = task_create(&processor, NULL, 0);
    task->checkpoint.marker_offset = 7;
    task->checkpoint.marker_clock_ms = 1000;
    for (int i = 0; i < 8; i++) {
        task->has_unsummed = i & 1;
        task->summed_offset = 5;
        snprintf(task->ids.of[ORIGIN_INPUT], BROKER_ID_SIZE, "%s", i & 2 ? "9xX_-0123456789abcdefg" : "");
        snprintf(task->ids.of[ORIGIN_CHECKPOINT], BROKER_ID_SIZE, "%s", i & 4 ? "1_-Xx90123456789abcdef" : "");
        checkpoint_marker_print(task, text);
        assert_true(checkpoint_marker_parse(text, &marker));
        assert_int_equal(marker.offset, 7);
        assert_int_equal(marker.clock_ms, 1000);
        assert_int_equal(marker.summed_offset, i & 1 ? 5 : -1);
        assert_string_equal(marker.ids.of[ORIGIN_INPUT], task->ids.of[ORIGIN_INPUT]);
        assert_string_equal(marker.ids.of[ORIGIN_CHECKPOINT], task->ids.of[ORIGIN_CHECKPOINT]);
    }
    assert_true(checkpoint_marker_parse("touchstream 1 1 7 1000 5 topic=a state=b of_later=c more=d,e", &marker));
    assert_string_equal(marker.ids.of[ORIGIN_CHECKPOINT], "b");
    assert_true(checkpoint_marker_parse("touchstream 1 1 7 1000 of_later=c", &marker));
    assert_false(checkpoint_marker_parse("touchstream 1 1 7 1000 of_later=", &marker));
    assert_false(checkpoint_marker_parse("touchstream 1 1 7 1000 of_later=c ", &marker));
    assert_false(checkpoint_marker_parse("touchstream 1 1 7 1000 5 topic=a more", &marker));
    assert_false(checkpoint_marker_parse("touchstream 1 1 7 1000 5 state=a topic=b", &marker));
    assert_false(checkpoint_marker_parse("touchstream 1 1 7 1000 state=", &marker));
    assert_false(checkpoint_marker_parse("touchstream 1 1 7 1000 state=longer-than-kafka-s-ids-are", &marker));
    assert_false(checkpoint_marker_parse("touchstream 1 1 7 1000 and more", &marker));
    task_destroy(task);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_clock_that_is_put_back_holds_up_neither_commits_nor_ticks),
                                       cmocka_unit_test(events_of_the_past_do_not_hold_up_ticks),
                                       cmocka_unit_test(a_clock_that_leaps_ahead_makes_no_more_of_them),
                                       cmocka_unit_test(what_failed_is_tried_again_in_time_though_the_clock_is_put_back),
                                       cmocka_unit_test(with_a_topic_that_is_made_anew_it_commits_nothing_and_ends),
                                       cmocka_unit_test(records_at_offsets_that_were_had_are_not_passed_over_before_it_is_known_whose_they_are),
                                       cmocka_unit_test(records_that_come_after_it_was_gone_are_not_committed_before_it_is_known_whose_they_are),
                                       cmocka_unit_test(whoever_ends_without_an_input_does_not_try_to_commit),
                                       cmocka_unit_test(whoever_ends_without_an_output_or_loses_the_input_tries_to_commit_once),
                                       cmocka_unit_test(a_log_that_lost_its_end_ends_it_but_not_one_whose_end_is_hidden_for_a_moment),
                                       cmocka_unit_test(a_marker_tells_of_which_topics_it_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
