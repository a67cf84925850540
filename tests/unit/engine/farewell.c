/* A broker whose close never returns costs the worker its patience, not its life. */
#include "engine/farewell.h"

#include "engine/broker.h"

#include "tests/unit/cmocka_all.h"

#include <semaphore.h>

enum { PATIENT_MS = 60000, IMPATIENT_MS = 20 };

struct door {
    struct broker broker; /* first */
    sem_t opens, is_through;
};

static void close_at_the_door(struct broker *broker)
{
    struct door *door = (struct door *)broker;
    sem_wait(&door->opens);
    sem_post(&door->is_through);
}

static const struct broker_port port = {.close = close_at_the_door};

static struct door door_new(unsigned open)
{
    struct door door = {.broker = {&port}};
    sem_init(&door.opens, 0, open);
    sem_init(&door.is_through, 0, 0);
    return door;
}

static void note(void *context)
{
    *(bool *)context = true;
}

static void a_close_that_ends_is_followed_by_what_comes_then(void **state)
{
    (void)state;
    struct door door = door_new(1);
    bool is_freed = false;
    assert_true(farewell(broker_close, &door.broker, note, &is_freed, PATIENT_MS));
    assert_true(is_freed);
    assert_int_equal(farewell_left_behind(), 0);
}

static void a_close_that_hangs_is_left_behind_with_what_it_holds(void **state)
{
    (void)state;
    static struct door door;
    static bool is_freed;
    door = door_new(0);
    assert_false(farewell(broker_close, &door.broker, note, &is_freed, IMPATIENT_MS));
    assert_int_equal(farewell_left_behind(), 1);
    sem_post(&door.opens);
    sem_wait(&door.is_through);
    assert_false(is_freed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_close_that_ends_is_followed_by_what_comes_then),
        cmocka_unit_test(a_close_that_hangs_is_left_behind_with_what_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
