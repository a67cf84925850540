#include "engine/origin.h"

#include "base/log.h"

#include <stdio.h>

enum { LOOK_EVERY_MS = 1000, SHORT_LOOKS_MOST = 30 };

void origin_name(const struct runner_config *config, enum broker_origin origin, char name[ORIGIN_NAME_SIZE])
{
    const char *prefix = config->kafka && config->kafka->topic_prefix ? config->kafka->topic_prefix : "";
    snprintf(name, ORIGIN_NAME_SIZE, "%s%s", prefix, origin == ORIGIN_INPUT ? config->processor->input : config->processor->checkpoint);
}

static const char *const said_of[ORIGINS] = {
    [ORIGIN_INPUT] = "the input topic was deleted and made anew, or cut short: stop the processors and begin with an empty state (docs/RELIABILITY.md, «made anew»)",
    [ORIGIN_CHECKPOINT] = "the checkpoint topic was deleted and made anew, and what belongs to the committed offsets is not in it: stop the processors and "
                          "begin with an empty state (docs/RELIABILITY.md, «made anew»)"};

/* `how` in its first words and short: a health page shows it beside the rest. */
static enum outcome is_another(struct worker *worker, enum broker_origin origin, int32_t partition, const char *how)
{
    char topic[ORIGIN_NAME_SIZE], error[ORIGIN_NAME_SIZE + 128];
    origin_name(worker->config, origin, topic);
    snprintf(error, sizeof error, "%s %s", topic, how);
    log_error(said_of[origin], "error", error, "worker", worker->name, "partition", LOG_NUMBER(partition), NULL);
    worker->is_hopeless = true;
    return OUTCOME_STOP;
}

enum outcome origin_is_short(struct worker *worker, const struct task *task, int64_t end_offset)
{
    char how[128];
    snprintf(how, sizeof how, "ends at %lld, we are at %lld", (long long)end_offset, (long long)task->next_offset);
    return is_another(worker, ORIGIN_INPUT, task->partition, how);
}

/* --- ids */

/* What is not to be had now is what it was. */
static enum outcome learn(struct worker *worker, bool is_fresh)
{
    struct broker_ids ids;
    enum outcome outcome = worker->broker->port->origin_ids(worker->broker, is_fresh, &ids);
    if (outcome == OUTCOME_OK)
        broker_ids_update(&worker->ids, &ids);
    return outcome;
}

enum outcome origin_learn(struct worker *worker)
{
    return learn(worker, true);
}

/* OK: those that are known are of the topics that are there. */
static enum outcome compare(struct worker *worker, int32_t partition, const struct broker_ids *known)
{
    for (enum broker_origin origin = 0; origin < ORIGINS; origin++) {
        const char *then = known->of[origin], *now = worker->ids.of[origin];
        char how[128];
        if (!then[0] || !now[0] || strcmp(then, now) == 0)
            continue;
        snprintf(how, sizeof how, "has the id %s, our state is of %s", now, then);
        return is_another(worker, origin, partition, how);
    }
    return OUTCOME_OK;
}

bool origin_is_known(struct worker *worker, const struct broker_commit *commit, const struct checkpoint_marker *marker)
{
    return compare(worker, commit->partition, &marker->ids) == OUTCOME_OK;
}

static enum outcome look_for_ids(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task == NULL)
            continue;
        if (compare(worker, task->partition, &task->ids) != OUTCOME_OK)
            return OUTCOME_STOP;
        broker_ids_update(&task->ids, &worker->ids);
        task->is_doubtful = false;
    }
    return OUTCOME_OK;
}

/* --- ends */

static bool stays_short(struct task *task, int64_t end_offset)
{
    bool is_short = task->is_placed && end_offset >= 0 && end_offset < task->next_offset;
    task->short_looks = is_short ? task->short_looks + 1 : 0;
    return task->short_looks >= SHORT_LOOKS_MOST;
}

static enum outcome look_for_ends(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        int64_t end_offset = task ? worker->broker->port->end_offset(worker->broker, task->partition) : -1;
        if (task && stays_short(task, end_offset))
            return origin_is_short(worker, task, end_offset);
    }
    return OUTCOME_OK;
}

/* --- looking */

void origin_doubt(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        if (worker->tasks.tasks[i])
            worker->tasks.tasks[i]->is_doubtful = true;
    }
}

bool origin_is_in_doubt(const struct worker *worker)
{
    bool is_doubtful = false;
    for (size_t i = 0; i < worker->tasks.count; i++)
        is_doubtful |= worker->tasks.tasks[i] && worker->tasks.tasks[i]->is_doubtful;
    return is_doubtful;
}

enum outcome origin_look(struct worker *worker, int64_t now_ms)
{
    bool is_doubtful = origin_is_in_doubt(worker), is_time = now_ms - worker->origin_looked_at_ms >= LOOK_EVERY_MS;
    if (!is_doubtful && !is_time)
        return OUTCOME_OK;
    if (learn(worker, is_doubtful) == OUTCOME_RETRY)
        return OUTCOME_RETRY;
    enum outcome outcome = look_for_ids(worker);
    if (outcome == OUTCOME_OK && is_time) {
        worker->origin_looked_at_ms = now_ms;
        outcome = look_for_ends(worker);
    }
    return outcome;
}
