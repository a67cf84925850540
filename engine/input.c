#include "engine/input.h"

#include "base/log.h"

#include <stdio.h>

enum { LOOK_EVERY_MS = 1000, SHORT_LOOKS_MOST = 30 };

/* `how` in its first words and short: a health page shows it beside the rest. */
static enum outcome is_another(struct worker *worker, int32_t partition, const char *how)
{
    const struct runner_config *config = worker->config;
    const char *prefix = config->kafka && config->kafka->topic_prefix ? config->kafka->topic_prefix : "";
    char error[256];
    snprintf(error, sizeof error, "%s%s %s", prefix, config->processor->input, how);
    log_error("the input topic was deleted and made anew, or cut short: stop the processors and begin with an empty state "
              "(docs/RELIABILITY.md, «made anew»)",
              "error", error, "worker", worker->name, "partition", LOG_NUMBER(partition), NULL);
    worker->is_hopeless = true;
    return OUTCOME_STOP;
}

static enum outcome has_another_id(struct worker *worker, int32_t partition, const char *known)
{
    char how[128];
    snprintf(how, sizeof how, "has the id %s, our state is of %s", worker->input_id, known);
    return is_another(worker, partition, how);
}

enum outcome input_is_short(struct worker *worker, const struct task *task, int64_t end_offset)
{
    char how[128];
    snprintf(how, sizeof how, "ends at %lld, we are at %lld", (long long)end_offset, (long long)task->next_offset);
    return is_another(worker, task->partition, how);
}

/* What is not to be had now is what it was. */
static enum outcome learn(struct worker *worker, bool is_fresh)
{
    char id[BROKER_ID_SIZE];
    enum outcome outcome = worker->broker->port->input_id(worker->broker, is_fresh, id);
    if (outcome == OUTCOME_OK && id[0])
        memcpy(worker->input_id, id, sizeof id);
    return outcome;
}

enum outcome input_learn(struct worker *worker)
{
    return learn(worker, true);
}

static bool is_other(const struct worker *worker, const char *known)
{
    return known[0] && worker->input_id[0] && strcmp(known, worker->input_id) != 0;
}

bool input_is_known(struct worker *worker, const struct broker_commit *commit, const struct checkpoint_marker *marker)
{
    if (!is_other(worker, marker->input_id))
        return true;
    has_another_id(worker, commit->partition, marker->input_id);
    return false;
}

static bool stays_short(struct task *task, int64_t end_offset)
{
    bool is_short = task->is_placed && end_offset >= 0 && end_offset < task->next_offset;
    task->short_looks = is_short ? task->short_looks + 1 : 0;
    return task->short_looks >= SHORT_LOOKS_MOST;
}

static enum outcome compare(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        if (task == NULL)
            continue;
        if (is_other(worker, task->input_id))
            return has_another_id(worker, task->partition, task->input_id);
        if (worker->input_id[0])
            memcpy(task->input_id, worker->input_id, sizeof task->input_id);
        task->is_doubtful = false;
    }
    return OUTCOME_OK;
}

static enum outcome look_for_ends(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        struct task *task = worker->tasks.tasks[i];
        int64_t end_offset = task ? worker->broker->port->end_offset(worker->broker, task->partition) : -1;
        if (task && stays_short(task, end_offset))
            return input_is_short(worker, task, end_offset);
    }
    return OUTCOME_OK;
}

void input_doubt(struct worker *worker)
{
    for (size_t i = 0; i < worker->tasks.count; i++) {
        if (worker->tasks.tasks[i])
            worker->tasks.tasks[i]->is_doubtful = true;
    }
}

bool input_is_in_doubt(const struct worker *worker)
{
    bool is_doubtful = false;
    for (size_t i = 0; i < worker->tasks.count; i++)
        is_doubtful |= worker->tasks.tasks[i] && worker->tasks.tasks[i]->is_doubtful;
    return is_doubtful;
}

enum outcome input_look(struct worker *worker, int64_t now_ms)
{
    bool is_doubtful = input_is_in_doubt(worker), is_time = now_ms - worker->input_looked_at_ms >= LOOK_EVERY_MS;
    if (!is_doubtful && !is_time)
        return OUTCOME_OK;
    if (learn(worker, is_doubtful) == OUTCOME_RETRY)
        return OUTCOME_RETRY;
    enum outcome outcome = compare(worker);
    if (outcome == OUTCOME_OK && is_time) {
        worker->input_looked_at_ms = now_ms;
        outcome = look_for_ends(worker);
    }
    return outcome;
}
