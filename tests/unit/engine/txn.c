/* A batch's way: every outcome of every call, and what follows from it. */
#include "engine/txn.h"

#include "tests/unit/cmocka_all.h"

#include <stdio.h>

struct script {
    struct broker broker; /* first */
    const char *fails;    /* the call that fails next, once */
    enum outcome with;
    char calls[200];
};

static enum outcome play(struct broker *broker, const char *call)
{
    struct script *script = (struct script *)broker;
    size_t used = strlen(script->calls);
    snprintf(script->calls + used, sizeof script->calls - used, "%s ", call);
    if (script->fails == NULL || strcmp(script->fails, call) != 0)
        return OUTCOME_OK;
    script->fails = NULL;
    return script->with;
}

static enum outcome begin(struct broker *broker)
{
    return play(broker, "begin");
}

static enum outcome produce(struct broker *broker, const struct broker_message *messages, size_t count, size_t *taken)
{
    (void)messages;
    enum outcome outcome = play(broker, "produce");
    *taken = outcome == OUTCOME_OK ? count : 0;
    return outcome;
}

static enum outcome send_offsets(struct broker *broker, const struct broker_commit *commits, size_t count)
{
    (void)commits, (void)count;
    return play(broker, "offsets");
}

static enum outcome commit(struct broker *broker)
{
    return play(broker, "commit");
}

static enum outcome abort_it(struct broker *broker)
{
    return play(broker, "abort");
}

static const struct broker_port port = {
    .begin = begin, .produce = produce, .send_offsets = send_offsets, .commit = commit, .abort = abort_it};

/* Runs a batch of one record to its end; the answers on the way are told. */
static void run(const char *fails, enum outcome with, const char *wanted_calls, const char *wanted_answers)
{
    struct script script = {.broker = {&port}, .fails = fails, .with = with};
    struct outbox outbox;
    struct txn txn;
    char answers[100] = "";
    outbox_init(&outbox);
    txn_init(&txn, &script.broker, &outbox);
    outbox_begin(&outbox, 0, 0, VIEW_LITERAL("k"), 0);
    outbox_end(&outbox);
    txn_close(&txn);
    *txn_add_commit(&txn) = (struct broker_commit){.partition = 0, .offset = 1};
    for (int i = 0; i < 5 && txn.is_closing; i++) {
        enum outcome outcome = txn_advance(&txn);
        strcat(strcat(answers, outcome_name(outcome)), " ");
        if (outcome == OUTCOME_STOP)
            break;
    }
    assert_string_equal(script.calls, wanted_calls);
    assert_string_equal(answers, wanted_answers);
    assert_int_equal(outbox_is_empty(&outbox), with != OUTCOME_STOP);
    txn_finish(&txn);
    outbox_finish(&outbox);
}

static void a_good_batch_is_four_calls(void **state)
{
    (void)state;
    run(NULL, OUTCOME_OK, "begin produce offsets commit ", "ok ");
}

static void retry_makes_the_same_call_again(void **state)
{
    (void)state;
    run("begin", OUTCOME_RETRY, "begin begin produce offsets commit ", "retry ok ");
    run("produce", OUTCOME_RETRY, "begin produce produce offsets commit ", "retry ok ");
    run("offsets", OUTCOME_RETRY, "begin produce offsets offsets commit ", "retry ok ");
    run("commit", OUTCOME_RETRY, "begin produce offsets commit commit ", "retry ok ");
}

static void redo_aborts_and_sends_everything_again(void **state)
{
    (void)state;
    run("produce", OUTCOME_REDO, "begin produce abort begin produce offsets commit ", "redo ok ");
    run("offsets", OUTCOME_REDO, "begin produce offsets abort begin produce offsets commit ", "redo ok ");
    run("commit", OUTCOME_REDO, "begin produce offsets commit abort begin produce offsets commit ", "redo ok ");
}

static void stop_leaves_at_once_and_keeps_the_outbox(void **state)
{
    (void)state;
    run("commit", OUTCOME_STOP, "begin produce offsets commit ", "stop ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_batch_is_four_calls),
        cmocka_unit_test(retry_makes_the_same_call_again),
        cmocka_unit_test(redo_aborts_and_sends_everything_again),
        cmocka_unit_test(stop_leaves_at_once_and_keeps_the_outbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
