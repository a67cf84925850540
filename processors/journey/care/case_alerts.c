/* Cases as alerts: revisions in the order in which things became known.
 *
 * A case is the alert whose id is the case's. A revision is told when its state, severity, kind, owner, due time or reasons are
 * others than told last, or when an event moved the score by a point; what time alone does to the score is told every
 * alerts.refresh at most. */
#include "base/memory.h"
#include "processors/journey/care/turn.h"
#include "processors/journey/care/waits.h"

#include <math.h>
#include <stdlib.h>

#define POINT 1.0
#define SERIOUS_FROM 40

struct revision {
    const struct case_story *story;
    const struct hot_reading *hot;
    enum alert_state state;
    enum severity severity;
    enum alert_kind kind;
    int64_t due_at_ms;
    uint64_t reasons;
};

static struct case_published *published_find(struct care *care, uint64_t identity)
{
    for (uint32_t i = care->case_count; i > 0; i--) {
        if (care->cases[i - 1].identity == identity)
            return &care->cases[i - 1];
    }
    return NULL;
}

/* A case is known by the id under which it was first told, though an earlier opener may have turned up since. */
static struct case_published *published_of(struct care *care, const struct case_story *story)
{
    for (uint32_t i = story->fact_begin; i < story->fact_end; i++) {
        struct case_published *published =
            fact_is_opener(&care->facts[i]) ? published_find(care, care->facts[i].case_identity) : NULL;
        if (published)
            return published;
    }
    return NULL;
}

static struct case_published *published_add(struct turn *turn, const struct case_story *story)
{
    struct care *care = turn->customer->care;
    care->cases = room_array_grow(&turn->customer->room, care->cases, care->case_count, sizeof *care->cases);
    struct case_published *published = &care->cases[care->case_count++];
    *published = (struct case_published){.identity = story->opener->case_identity,
                                         .id = case_id_of(turn->customer_id, &story->opener->moment),
                                         .opener = story->opener->moment,
                                         .opened_at_ms = story->opened_at_ms,
                                         .is_historical = true};
    return published;
}

/* --- what there is to tell --- */

/* A case that nobody has looked at is worth a warning, however few points it has. */
static enum severity severity_of(const struct turn *turn, const struct hot_reading *hot, enum alert_state state)
{
    bool is_hot = case_is_live(state) ? turn->customer->care->is_hot : hot->score >= turn->settings->hot_from;
    bool is_serious = hot->score >= SERIOUS_FROM || state == ALERT_STATE_OPEN;
    return is_hot ? SEVERITY_CRITICAL : is_serious ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* We answered on a ticket, and now it is theirs to speak. */
static bool is_waiting_for_customer(const struct turn *turn, const struct case_story *story)
{
    const struct customer *customer = turn->customer;
    if (story->state != ALERT_STATE_IN_PROGRESS || customer->open_ticket_count == 0 || customer_waits(customer, turn->at_ms))
        return false;
    for (uint32_t i = 0; i < customer->ticket_count; i++) {
        const struct ticket *ticket = &customer->tickets[i];
        const struct ticket_event *last = ticket->id && ticket->count ? &ticket->events[ticket->count - 1] : NULL;
        bool is_answered = last && (last->action == TICKET_ACTION_PENDING || last->action == TICKET_ACTION_AGENT_REPLIED);
        if (is_answered && last->moment.at_ms >= story->opened_at_ms)
            return true;
    }
    return false;
}

static int64_t due_of(const struct turn *turn, const struct case_story *story, const struct hot_reading *hot)
{
    if (story->state == ALERT_STATE_SNOOZED)
        return story->snoozed_until_ms;
    if (!case_is_live(story->state))
        return NEVER_MS;
    int64_t contact_ms = story->contacted_at_ms == NEVER_MS ? story->begun_at_ms + turn->settings->contact_within_ms : NEVER_MS;
    return hot->ticket_due_at_ms < contact_ms ? hot->ticket_due_at_ms : contact_ms;
}

static struct revision revision_of(const struct turn *turn, const struct case_story *story, const struct hot_reading *hot)
{
    bool is_rated = fact_is_negative_rating(story->opener);
    struct revision revision = {.story = story, .hot = hot, .state = story->state, .reasons = hot_reasons_hash(hot),
                                .severity = severity_of(turn, hot, story->state), .due_at_ms = due_of(turn, story, hot)};
    revision.kind = revision.severity == SEVERITY_CRITICAL || !is_rated ? ALERT_KIND_HOT_TICKET : ALERT_KIND_NEGATIVE_FEEDBACK;
    if (is_waiting_for_customer(turn, story))
        revision.state = ALERT_STATE_WAITING_CUSTOMER;
    return revision;
}

static bool owner_differs(const struct case_published *published, const char *owner)
{
    return strcmp(published->owner ? published->owner : "", owner ? owner : "") != 0;
}

static bool is_worth_telling(struct turn *turn, struct case_published *published, const struct revision *revision)
{
    bool is_other = published->revision == 0 || published->state != revision->state ||
                    published->severity != revision->severity || published->kind != revision->kind ||
                    published->due_at_ms != revision->due_at_ms || published->reasons != revision->reasons ||
                    owner_differs(published, revision->story->owner);
    bool has_moved = fabs(revision->hot->score - published->score) >= POINT;
    bool may_refresh = turn->arrival != NULL || turn->at_ms - published->looked_at_ms >= turn->settings->refresh_ms;
    return is_other || (has_moved && may_refresh);
}

/* --- telling --- */

static struct alert_reason *reasons_of(const struct hot_reading *hot, struct arena *arena)
{
    struct alert_reason *reasons = arena_zeroed(arena, hot->count + 1, sizeof *reasons);
    for (uint32_t i = 0; i < hot->count; i++) {
        const struct hot_reason *reason = &hot->reasons[i];
        reasons[i] = (struct alert_reason){.code = view_of_text(reason->code), .points = reason->points,
                                           .has_event_id = reason->has_event, .text = reason->text};
        if (reason->has_event)
            reasons[i].event_id = moment_event_id(&reason->event);
    }
    return reasons;
}

static struct view optional(const char *text)
{
    return text ? view_of_text(text) : (struct view){NULL, 0};
}

static struct view text_of(const struct turn *turn, const struct hot_reading *hot)
{
    if (turn->customer->care->text)
        return view_of_text(turn->customer->care->text);
    return hot->count ? hot->reasons[0].text : VIEW_LITERAL("");
}

/* What time did bears the mark of the event before it: an imported case that fades away is not news. */
static void history_follows(struct turn *turn, struct case_published *published)
{
    if (turn->arrival)
        published->is_historical &= turn_is_historical(turn, turn->arrival->touch->occurred_at_ms);
    else if (published->revision == 0)
        published->is_historical = turn_is_historical(turn, turn->at_ms);
}

static void published_follow(struct turn *turn, struct case_published *published, const struct revision *revision)
{
    history_follows(turn, published);
    published->revision++;
    published->state = (uint8_t)revision->state;
    published->severity = (uint8_t)revision->severity;
    published->kind = (uint8_t)revision->kind;
    published->due_at_ms = revision->due_at_ms;
    published->reasons = revision->reasons;
    published->score = revision->hot->score;
    care_text_set(&turn->customer->room, &published->owner, optional(revision->story->owner), CARE_TEXT_MAX);
}

static void tell(struct turn *turn, const struct case_published *published, const struct revision *revision)
{
    const struct case_story *story = revision->story;
    struct arena *arena = turn->step->arena;
    char id[UUID_TEXT_SIZE + 1];
    uuid_format(&published->id, id);
    bool is_clock = turn->arrival == NULL && case_is_live(revision->state);
    struct alert alert = {.alert_id = view_of(id, UUID_TEXT_SIZE),
                          .revision = published->revision,
                          .case_id = view_of(id, UUID_TEXT_SIZE),
                          .rule = VIEW_LITERAL(ALERT_RULE_OF_CASES),
                          .kind = revision->kind,
                          .severity = revision->severity,
                          .state = revision->state,
                          .customer_id = turn->customer_id,
                          .ticket_id = revision->hot->ticket ? optional(revision->hot->ticket->id) : (struct view){NULL, 0},
                          .score = revision->hot->score,
                          .reasons = {reasons_of(revision->hot, arena), revision->hot->count},
                          .text = text_of(turn, revision->hot),
                          .owner = optional(story->owner),
                          .opened_at_ms = story->opened_at_ms,
                          .has_due_at = revision->due_at_ms != NEVER_MS,
                          .due_at_ms = revision->due_at_ms != NEVER_MS ? revision->due_at_ms : 0,
                          .changed_at_ms = is_clock ? turn->at_ms : story->changed_at_ms,
                          .actor = optional(story->actor),
                          .historical = published->is_historical};
    if (turn->arrival && turn->arrival->touch->occurred_at_ms > alert.changed_at_ms)
        alert.changed_at_ms = turn->arrival->touch->occurred_at_ms;
    turn_send_alert(turn, &alert);
}

static void story_tell(struct turn *turn, struct case_story *story, const struct hot_reading *hot)
{
    struct care *care = turn->customer->care;
    struct case_published *published = published_of(care, story);
    if (published == NULL)
        published = published_add(turn, story);
    struct revision revision = revision_of(turn, story, hot);
    if (published->revision > 0 && published->kind == ALERT_KIND_HOT_TICKET)
        revision.kind = ALERT_KIND_HOT_TICKET; /* once hot, called so for good */
    bool tells = is_worth_telling(turn, published, &revision);
    if (tells) {
        published_follow(turn, published, &revision);
        tell(turn, published, &revision);
    }
    if (tells || turn->at_ms - published->looked_at_ms >= turn->settings->refresh_ms)
        published->looked_at_ms = turn->at_ms;
}

/* A case that is over: its score is that of its end. */
static void ended_tell(struct turn *turn, struct case_story *story)
{
    const struct case_published *published = published_of(turn->customer->care, story);
    if (published && published->state == story->state)
        return;
    struct hot_reading hot;
    hot_score_read(turn->task, turn->customer, story->changed_at_ms, story->points_from_ms, turn->step->arena, &hot);
    story_tell(turn, story, &hot);
}

/* Two cases that were told turned out to be one. */
static void orphans_tell(struct turn *turn)
{
    struct care *care = turn->customer->care;
    for (uint32_t i = 0; i < care->case_count; i++) {
        struct case_published *published = &care->cases[i];
        bool stands = !case_is_live((enum alert_state)published->state);
        for (uint32_t j = 0; j < turn->cases.count && !stands; j++)
            stands = published_of(care, &turn->cases.stories[j]) == published;
        if (stands)
            continue;
        struct case_fact opener = {.moment = published->opener};
        struct case_story story = {.opener = &opener, .state = ALERT_STATE_EXPIRED, .opened_at_ms = published->opened_at_ms,
                                   .changed_at_ms = turn->at_ms};
        struct hot_reading hot = {.score = published->score, .ticket_due_at_ms = NEVER_MS};
        struct revision revision = {.story = &story, .hot = &hot, .state = ALERT_STATE_EXPIRED,
                                    .severity = (enum severity)published->severity, .kind = (enum alert_kind)published->kind,
                                    .due_at_ms = NEVER_MS};
        published_follow(turn, published, &revision);
        tell(turn, published, &revision);
    }
}

void case_alerts_tell(struct turn *turn)
{
    if (turn->customer->care == NULL)
        return;
    for (uint32_t i = 0; i < turn->cases.count; i++) {
        struct case_story *story = &turn->cases.stories[i];
        if (case_is_live(story->state))
            story_tell(turn, story, &turn->hot);
        else
            ended_tell(turn, story);
    }
    orphans_tell(turn);
}

bool case_alerts_live_id(struct turn *turn, struct uuid *id)
{
    struct case_story *story = turn_live_case(turn);
    if (story == NULL)
        return false;
    const struct case_published *published = published_of(turn->customer->care, story);
    *id = published ? published->id : case_id_of(turn->customer_id, &story->opener->moment);
    return true;
}

int64_t case_alerts_next_ms(const struct turn *turn)
{
    const struct care *care = turn->customer->care;
    int64_t next_at_ms = NEVER_MS;
    for (uint32_t i = 0; care && i < care->case_count; i++) {
        const struct case_published *published = &care->cases[i];
        bool may_move = case_is_live((enum alert_state)published->state) && published->score >= POINT;
        if (may_move && published->looked_at_ms + turn->settings->refresh_ms < next_at_ms)
            next_at_ms = published->looked_at_ms + turn->settings->refresh_ms;
    }
    return next_at_ms;
}

void case_alerts_forget(struct turn *turn)
{
    struct care *care = turn->customer->care;
    for (uint32_t i = 0; care && i < care->case_count; i++) {
        struct case_published *published = &care->cases[i];
        char id[UUID_TEXT_SIZE + 1];
        uuid_format(&published->id, id);
        struct alert alert = {.alert_id = view_of(id, UUID_TEXT_SIZE),
                              .revision = ++published->revision,
                              .case_id = view_of(id, UUID_TEXT_SIZE),
                              .rule = VIEW_LITERAL(ALERT_RULE_OF_CASES),
                              .kind = (enum alert_kind)published->kind,
                              .severity = SEVERITY_INFO,
                              .state = ALERT_STATE_EXPIRED,
                              .text = VIEW_LITERAL("The customer was forgotten."),
                              .opened_at_ms = published->opened_at_ms,
                              .changed_at_ms = turn->at_ms,
                              .historical = published->is_historical};
        turn_send_alert(turn, &alert);
    }
}
