/* What stands still is noticed, what merely rests is not. */
#include "engine/worker.h"

#include "tests/unit/cmocka_all.h"


enum { SECONDS_MOST = 60 + 30 }; /* and the transaction timeout */

static int64_t end_of_partition;

static int64_t end_offset(struct broker *broker, int32_t partition)
{
    (void)broker, (void)partition;
    return end_of_partition;
}

static const struct broker_port port = {.end_offset = end_offset};
static const struct processor processor = {.name = "toy"};

struct scene {
    struct broker broker;
    struct task *tasks[1];
    struct worker worker;
    struct runner_settings settings;
    int64_t now_ms;
};

static struct scene *scene_new(int64_t tick_after_ms)
{
    static struct scene scene;
    scene = (struct scene){.broker = {&port}, .now_ms = 1000000};
    scene.tasks[0] = task_create(&processor, NULL, 0);
    scene.tasks[0]->stage = TASK_LIVE;
    scene.worker.broker = &scene.broker;
    scene.worker.tasks = (struct task_table){.tasks = scene.tasks, .count = 1};
    scene.settings = (struct runner_settings){.tick_after_ms = tick_after_ms, .transaction_timeout_ms = 30000};
    scene.worker.settings = &scene.settings;
    end_of_partition = 0;
    return &scene;
}

/* After how many seconds it says so; 0: not within ten minutes. */
static int says_so_after(struct scene *scene, int moves_every)
{
    for (int second = 1; second <= 600; second++) {
        if (moves_every && second % moves_every == 0)
            scene->tasks[0]->next_offset++;
        scene->now_ms += 1000;
        if (watch_is_stuck(&scene->worker, scene->now_ms))
            return second;
    }
    return 0;
}

static void a_partition_with_ticks_that_does_not_move_is_stuck(void **state)
{
    (void)state;
    struct scene *scene = scene_new(1000);
    assert_in_range(says_so_after(scene, 0), SECONDS_MOST, SECONDS_MOST + 2);
    task_destroy(scene->tasks[0]);
}

static void one_that_moves_now_and_then_is_not(void **state)
{
    (void)state;
    struct scene *scene = scene_new(1000);
    assert_int_equal(says_so_after(scene, 30), 0);
    assert_true(scene->worker.watch.has_moved);
    task_destroy(scene->tasks[0]);
}

static void without_ticks_only_a_lag_counts(void **state)
{
    (void)state;
    struct scene *scene = scene_new(0);
    assert_int_equal(says_so_after(scene, 0), 0);
    end_of_partition = 5;
    assert_in_range(says_so_after(scene, 0), SECONDS_MOST, SECONDS_MOST + 2);
    task_destroy(scene->tasks[0]);
}

static void time_in_which_nobody_looked_does_not_count(void **state)
{
    (void)state;
    struct scene *scene = scene_new(1000);
    for (int look = 0; look < 10; look++) {
        scene->now_ms += 3600 * 1000;
        assert_false(watch_is_stuck(&scene->worker, scene->now_ms));
    }
    task_destroy(scene->tasks[0]);
}

static void entries_that_are_being_read_count_as_movement(void **state)
{
    (void)state;
    struct scene *scene = scene_new(1000);
    scene->tasks[0]->stage = TASK_LOADING;
    for (int second = 0; second < 600; second++) {
        scene->now_ms += 1000;
        scene->worker.watch.loaded += second % 50 == 0;
        assert_false(watch_is_stuck(&scene->worker, scene->now_ms));
    }
    assert_true(says_so_after(scene, 0) > 0);
    task_destroy(scene->tasks[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_with_ticks_that_does_not_move_is_stuck),
        cmocka_unit_test(one_that_moves_now_and_then_is_not),
        cmocka_unit_test(without_ticks_only_a_lag_counts),
        cmocka_unit_test(time_in_which_nobody_looked_does_not_count),
        cmocka_unit_test(entries_that_are_being_read_count_as_movement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
