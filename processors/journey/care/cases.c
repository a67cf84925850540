#include "processors/journey/care/cases.h"

#include "base/time_text.h"

struct walk {
    const struct care *care;
    const struct case_settings *settings;
    struct case_reading *out;
    struct case_story *current; /* the newest; NULL: none yet */
    struct tally *tally;        /* NULL: nobody counts */
};

static struct place place_of(const struct case_story *story, enum kpi_id kpi, int64_t at_ms)
{
    return place_at(kpi, story->opener->tuple, story->opener->stage, at_ms);
}

/* The one place where a case changes its state. */
static void state_set(struct walk *walk, enum alert_state state, int64_t at_ms, const struct case_fact *act)
{
    struct case_story *story = walk->current;
    int change = (int)case_is_listed(state) - (int)case_is_listed(story->state);
    if (walk->tally && change)
        tally_add_flow(walk->tally, place_of(story, KPI_HOT_OPEN, at_ms), change, 0);
    story->state = state;
    story->changed_at_ms = at_ms;
    story->actor = act ? act->actor : NULL;
}

/* --- what time does --- */

/* When the case changes by itself; NEVER_MS: it does not. */
static inline int64_t story_due_ms(const struct walk *walk, const struct case_story *story)
{
    int64_t expires_at_ms = story->news_at_ms + walk->settings->expire_after_ms;
    if (story->state == ALERT_STATE_SNOOZED)
        return story->snoozed_until_ms < expires_at_ms ? story->snoozed_until_ms : expires_at_ms;
    if (case_is_live(story->state))
        return expires_at_ms;
    if (story->state == ALERT_STATE_RESOLVED && !story->is_final)
        return story->changed_at_ms + walk->settings->verify_within_ms;
    return NEVER_MS;
}

static void story_pass(struct walk *walk, int64_t at_ms)
{
    struct case_story *story = walk->current;
    if (story->state == ALERT_STATE_SNOOZED && at_ms == story->snoozed_until_ms) {
        story->news_at_ms = at_ms;
        state_set(walk, ALERT_STATE_OPEN, at_ms, NULL);
    } else if (case_is_live(story->state)) {
        story->is_final = true;
        state_set(walk, ALERT_STATE_EXPIRED, at_ms, NULL);
    } else {
        story->is_final = true;
    }
}

static inline void time_passes(struct walk *walk, int64_t until_ms)
{
    while (walk->current) {
        int64_t due_ms = story_due_ms(walk, walk->current);
        if (due_ms > until_ms)
            break;
        story_pass(walk, due_ms);
    }
}

/* --- what facts do --- */

static void story_begin(struct walk *walk, uint32_t number)
{
    const struct case_fact *fact = &walk->care->facts[number];
    const struct case_story *before = walk->current;
    struct case_story *story = &walk->out->stories[walk->out->count++];
    *story = (struct case_story){.opener = fact,
                                 .fact_begin = before ? before->fact_end : 0,
                                 .fact_end = number + 1,
                                 .points_from_ms = before ? before->changed_at_ms : INT64_MIN,
                                 .opened_at_ms = fact->moment.at_ms,
                                 .contacted_at_ms = NEVER_MS,
                                 .begun_at_ms = fact->moment.at_ms,
                                 .news_at_ms = fact->moment.at_ms,
                                 .state = ALERT_STATE_EXPIRED};
    walk->current = story;
    state_set(walk, ALERT_STATE_OPEN, fact->moment.at_ms, NULL);
}

static void story_reopen(struct walk *walk, const struct case_fact *fact)
{
    struct case_story *story = walk->current;
    story->begun_at_ms = fact->moment.at_ms;
    story->is_final = false;
    state_set(walk, ALERT_STATE_OPEN, fact->moment.at_ms, fact->code == FACT_ACT ? fact : NULL);
}

/* A new score after the case was closed says how that went. */
static void score_judges(struct walk *walk, const struct case_fact *fact)
{
    struct case_story *story = walk->current;
    bool is_recovered = !fact_is_negative_rating(fact);
    if (walk->tally)
        tally_add_rate(walk->tally, place_of(story, KPI_LOOP_RECOVERED, fact->moment.at_ms), is_recovered, false);
    if (!is_recovered)
        return;
    story->is_final = true;
    state_set(walk, ALERT_STATE_VERIFIED, fact->moment.at_ms, NULL);
}

static inline void said(struct walk *walk, uint32_t number)
{
    const struct case_fact *fact = &walk->care->facts[number];
    struct case_story *story = walk->current;
    bool is_opener = fact_is_opener(fact), is_negative = fact_is_negative_rating(fact);
    if (story == NULL || story->is_final) {
        if (is_opener)
            story_begin(walk, number);
        return;
    }
    story->fact_end = number + 1;
    if (story->state == ALERT_STATE_RESOLVED && fact->rating != RATING_NONE)
        score_judges(walk, fact);
    if (fact->code != FACT_GOOD_SCORE)
        story->news_at_ms = fact->moment.at_ms;
    bool is_trouble = is_opener || is_negative;
    if (is_trouble && story->state == ALERT_STATE_RESOLVED)
        story_reopen(walk, fact);
    else if (is_trouble && story->state == ALERT_STATE_SNOOZED)
        state_set(walk, ALERT_STATE_OPEN, fact->moment.at_ms, NULL);
}

/* "2h", "30 days" or a time in the note; else the usual length. */
static int64_t snooze_end_ms(const struct walk *walk, const struct case_fact *act)
{
    int64_t at_ms = act->moment.at_ms, length_ms, until_ms;
    if (act->note && time_parse_duration(view_of_text(act->note), &length_ms) && length_ms > 0)
        return at_ms + length_ms;
    if (act->note && time_text_parse(view_of_text(act->note), &until_ms) && until_ms > at_ms)
        return until_ms;
    return at_ms + walk->settings->snooze_ms;
}

static void story_close(struct walk *walk, const struct case_fact *act)
{
    struct case_story *story = walk->current;
    if (walk->tally)
        tally_add_duration(walk->tally, place_of(story, KPI_LOOP_CLOSE_TIME, act->moment.at_ms),
                           act->moment.at_ms - story->begun_at_ms);
    state_set(walk, ALERT_STATE_RESOLVED, act->moment.at_ms, act);
}

/* Whoever acknowledges or contacts has it, until it is assigned. ASSIGNED: to whom the note names, else to the actor. */
static void owner_follows(struct case_story *story, const struct case_fact *act)
{
    if (act->action == CASE_ACTION_ASSIGNED) {
        story->owner = act->note ? act->note : act->actor;
        story->actor = act->actor;
    } else if (story->owner == NULL && (act->action == CASE_ACTION_ACKNOWLEDGED || act->action == CASE_ACTION_CONTACTED)) {
        story->owner = act->actor;
    }
}

static void acted(struct walk *walk, const struct case_fact *act)
{
    struct case_story *story = walk->current;
    enum alert_state state = story->state;
    bool is_live = case_is_live(state);
    int64_t at_ms = act->moment.at_ms;
    story->news_at_ms = at_ms;
    owner_follows(story, act);
    switch ((enum case_action)act->action) {
    case CASE_ACTION_ACKNOWLEDGED:
        if (state == ALERT_STATE_OPEN || state == ALERT_STATE_SNOOZED)
            state_set(walk, ALERT_STATE_ACKNOWLEDGED, at_ms, act);
        break;
    case CASE_ACTION_CONTACTED:
        if (story->contacted_at_ms == NEVER_MS)
            story->contacted_at_ms = at_ms;
        if (is_live)
            state_set(walk, ALERT_STATE_IN_PROGRESS, at_ms, act);
        break;
    case CASE_ACTION_CLOSED:
        if (is_live)
            story_close(walk, act);
        break;
    case CASE_ACTION_REOPENED:
        if (!is_live)
            story_reopen(walk, act);
        else if (state != ALERT_STATE_OPEN)
            state_set(walk, ALERT_STATE_OPEN, at_ms, act); /* woken, or given back to whoever is next */
        break;
    case CASE_ACTION_SNOOZED:
        if (is_live) {
            story->snoozed_until_ms = snooze_end_ms(walk, act);
            state_set(walk, ALERT_STATE_SNOOZED, at_ms, act);
        }
        break;
    case CASE_ACTION_ASSIGNED: break;
    }
}

/* A case answers to the id of each of its openers: which of them came first may turn out only later. */
static bool story_is_named(const struct walk *walk, const struct case_story *story, uint64_t identity)
{
    for (uint32_t i = story->fact_begin; i < story->fact_end; i++) {
        if (walk->care->facts[i].case_identity == identity && walk->care->facts[i].code != FACT_ACT)
            return true;
    }
    return false;
}

/* --- what is known at the end --- */

static void contact_decide(const struct walk *walk, const struct case_story *story)
{
    int64_t deadline_ms = story->opened_at_ms + walk->settings->contact_within_ms;
    if (story->contacted_at_ms <= deadline_ms)
        tally_add_rate(walk->tally, place_of(story, KPI_LOOP_CONTACT_24H, story->contacted_at_ms), true, false);
    else if (tally_is_due(walk->tally, deadline_ms))
        tally_add_rate(walk->tally, place_of(story, KPI_LOOP_CONTACT_24H, deadline_ms), false, false);
}

void cases_read(const struct care *care, const struct case_settings *settings, int64_t clock_ms, struct tally *tally,
                struct case_reading *out)
{
    out->count = 0;
    out->next_at_ms = NEVER_MS;
    if (!(care->fact_codes & FACT_OPENERS))
        return; /* nothing ever began */
    struct walk walk = {.care = care, .settings = settings, .out = out, .tally = tally};
    for (uint32_t i = 0; i < care->fact_count; i++) {
        const struct case_fact *fact = &care->facts[i];
        time_passes(&walk, fact->moment.at_ms);
        if (fact->code != FACT_ACT) {
            said(&walk, i);
        } else if (walk.current && story_is_named(&walk, walk.current, fact->case_identity)) {
            walk.current->fact_end = i + 1;
            acted(&walk, fact);
        }
    }
    time_passes(&walk, clock_ms);
    out->next_at_ms = walk.current ? story_due_ms(&walk, walk.current) : NEVER_MS;
    if (tally == NULL)
        return;
    tally_is_due(tally, out->next_at_ms);
    for (uint32_t i = 0; i < out->count; i++)
        contact_decide(&walk, &out->stories[i]);
}

void cases_contribute(const struct journey_task *task, const struct customer *customer, struct tally *tally)
{
    struct case_reading reading;
    if (customer->care && customer->care->fact_count > 0)
        cases_read(customer->care, &task->shared->settings->cases, tally->clock_ms, tally, &reading);
}
