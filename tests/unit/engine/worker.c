/* A worker's pace, turn by turn, on a clock that does what the wall's may do. */
#include "engine/worker.h"

#include "base/memory.h"
#include "tests/unit/cmocka_all.h"

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
    int commits, ticks;
};

static enum outcome poll(struct broker *broker, size_t records_max, int wait_ms, bool gathers, struct broker_batch *batch)
{
    struct scene *scene = (struct scene *)broker;
    (void)records_max, (void)wait_ms, (void)gathers;
    *batch = (struct broker_batch){.records = &scene->record, .count = scene->has_record};
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
    (void)broker, (void)partition;
    return -1;
}

static const struct broker_port port = {
    .poll = poll, .begin = begin, .send_offsets = send_offsets, .commit = commit, .tick = tick, .end_offset = end_offset};

static enum outcome route(void *task, const struct record *record, struct route *out)
{
    (void)task, (void)record;
    *out = (struct route){.event_at_ms = INT64_MIN};
    return OUTCOME_OK;
}

static const char *const outputs[] = {NULL};
static const struct processor processor = {.name = "toy", .outputs = outputs, .route = route};

static void scene_begin(struct scene *scene)
{
    *scene = (struct scene){.broker = {&port}};
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
    task->active_at_ms = scene->clock.at_ms;
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_clock_that_is_put_back_holds_up_neither_commits_nor_ticks),
                                       cmocka_unit_test(a_clock_that_leaps_ahead_makes_no_more_of_them),
                                       cmocka_unit_test(what_failed_is_tried_again_in_time_though_the_clock_is_put_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
