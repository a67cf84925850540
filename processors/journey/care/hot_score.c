#include "processors/journey/care/hot_score.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/number_text.h"
#include "base/utf8.h"
#include "processors/journey/care/waits.h"
#include "processors/journey/matters/subscriptions.h"
#include "processors/journey/tickets/sla.h"

#include <math.h>

enum { TICKET_ID_SHOWN = 60 /* bytes */, TICKETS_COUNTED = 16 };

#define REPEAT_WITHIN_MS DAYS(7)
#define RENEWAL_WITHIN_MS DAYS(90)
#define EFFORT_WITHIN_MS DAYS(30) /* ten half-lives: less than a hundredth of the points is left */

struct scoring {
    struct journey_task *task;
    const struct customer *customer;
    const struct case_settings *settings;
    int64_t at_ms, from_ms;
    struct arena *arena;
    struct hot_reading *out;
    uint32_t *recent; /* numbers of the tickets that count, the oldest first */
    uint32_t recent_count;
    struct waits waits; /* collected when first asked for */
    bool has_waits;
    bool is_always_hot; /* somebody spoke of law or of a danger */
};

/* What was over so long ago gives no points, and nobody waited in it since. Of somebody with very many tickets the newest
 * and the open ones count, so that the score costs no more with every further one. */
static bool is_recent_ticket(const struct scoring *scoring, uint32_t number)
{
    const struct ticket *ticket = &scoring->customer->tickets[number];
    return ticket->id || (number + TICKETS_COUNTED >= scoring->customer->ticket_count &&
                          ticket_glance(ticket)->last_at_ms > scoring->at_ms - EFFORT_WITHIN_MS);
}

static void recent_collect(struct scoring *scoring)
{
    const struct customer *customer = scoring->customer;
    uint32_t open_left = customer->open_ticket_count, room = open_left + TICKETS_COUNTED, begin = room;
    uint32_t *recent = arena_alloc(scoring->arena, room * sizeof *recent);
    for (uint32_t i = customer->ticket_count; i > 0 && begin > 0 && (open_left > 0 || i + TICKETS_COUNTED > customer->ticket_count); i--) {
        if (is_recent_ticket(scoring, i - 1))
            recent[--begin] = i - 1;
        open_left -= customer->tickets[i - 1].id != NULL;
    }
    scoring->recent = recent + begin;
    scoring->recent_count = room - begin;
}

static struct ticket *recent_ticket(const struct scoring *scoring, uint32_t place)
{
    return &scoring->customer->tickets[scoring->recent[place]];
}

/* How much is left of something said at an instant. */
static double left_of(struct scoring *scoring, int64_t said_at_ms)
{
    if (!scoring->has_waits)
        waits_collect(&scoring->waits, scoring->customer, scoring->recent, scoring->recent_count);
    scoring->has_waits = true;
    int64_t age_ms = waits_time_apart(&scoring->waits, said_at_ms, scoring->at_ms);
    return age_ms <= 0 ? 1 : exp2(-(double)age_ms / (double)scoring->settings->half_life_ms);
}

/* --- reasons --- */

/* NULL: too few points to be one. */
static struct hot_reason *reason_begin(struct scoring *scoring, enum hot_code code, double share, const struct moment *event)
{
    double points = round(scoring->settings->weights[code] * share * 10) / 10;
    if (points <= 0)
        return NULL;
    struct hot_reason *reason = &scoring->out->reasons[scoring->out->count++];
    reason->code = hot_code_name(code);
    reason->points = points;
    reason->has_event = event != NULL;
    reason->event = event ? *event : (struct moment){0};
    return reason;
}

static void reason_add(struct scoring *scoring, enum hot_code code, double share, const struct moment *event, struct view text)
{
    struct hot_reason *reason = reason_begin(scoring, code, share, event);
    if (reason)
        reason->text = text;
}

/* By hand: texts are made for every event of a customer in trouble, and printf takes its time. */
static void reason_join(struct scoring *scoring, enum hot_code code, double share, const struct moment *event, const struct view *parts,
                        size_t count)
{
    struct hot_reason *reason = reason_begin(scoring, code, share, event);
    if (reason == NULL)
        return;
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    char *text = arena_alloc(scoring->arena, size), *at = text;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    reason->text = view_of(text, size);
}

/* A number between two words. */
static void reason_count(struct scoring *scoring, enum hot_code code, double share, const struct moment *event, struct view before,
                         int64_t number, struct view after)
{
    char digits[NUMBER_TEXT_MAX];
    const struct view parts[] = {before, view_of(digits, integer_text(digits, number)), after};
    reason_join(scoring, code, share, event, parts, 3);
}

#define TEXT(text) {(text), sizeof(text) - 1}

/* The bad scores of each scale: they are said again with every event of an unhappy customer. */
static const struct view rating_texts[RATING_STARS + 1][7] = {
    [RATING_NPS] = {TEXT("NPS 0 of 10"), TEXT("NPS 1 of 10"), TEXT("NPS 2 of 10"), TEXT("NPS 3 of 10"),
                    TEXT("NPS 4 of 10"), TEXT("NPS 5 of 10"), TEXT("NPS 6 of 10")},
    [RATING_CSAT] = {[1] = TEXT("CSAT 1 of 5"), TEXT("CSAT 2 of 5")},
    [RATING_CES] = {[1] = TEXT("CES 1 of 7"), TEXT("CES 2 of 7")},
    [RATING_STARS] = {[1] = TEXT("1 star of 5"), TEXT("2 stars of 5")},
};

static void rating_reason(struct scoring *scoring, const struct case_fact *fact, double left)
{
    enum hot_code code = (enum hot_code)fact->code;
    const struct moment *moment = &fact->moment;
    if (fact->score >= 0 && fact->score < 7 && rating_texts[fact->rating][fact->score].data) {
        reason_add(scoring, code, left, moment, rating_texts[fact->rating][fact->score]);
        return;
    }
    switch (fact->rating) { /* beyond its scale: nobody checked it on the way */
    case RATING_NPS: reason_count(scoring, code, left, moment, VIEW_LITERAL("NPS "), fact->score, VIEW_LITERAL(" of 10")); return;
    case RATING_CSAT: reason_count(scoring, code, left, moment, VIEW_LITERAL("CSAT "), fact->score, VIEW_LITERAL(" of 5")); return;
    case RATING_CES: reason_count(scoring, code, left, moment, VIEW_LITERAL("CES "), fact->score, VIEW_LITERAL(" of 7")); return;
    default: reason_count(scoring, code, left, moment, VIEW_LITERAL(""), fact->score, VIEW_LITERAL(" stars of 5")); return;
    }
}

static void fact_reason(struct scoring *scoring, const struct case_fact *fact)
{
    static const struct view texts[HOT_CODE_COUNT] = {[HOT_NEGATIVE_WORDS] = TEXT("Clearly negative words"),
                                                      [HOT_LEAVING_WORDS] = TEXT("Speaks of leaving"),
                                                      [HOT_LAW_WORDS] = TEXT("Speaks of legal steps"),
                                                      [HOT_SAFETY_WORDS] = TEXT("Speaks of a danger")};
    double left = left_of(scoring, fact->moment.at_ms);
    enum hot_code code = (enum hot_code)fact->code;
    if (fact->rating != RATING_NONE)
        rating_reason(scoring, fact, left);
    else if (code == HOT_PUBLIC_REACH)
        reason_count(scoring, code, left, &fact->moment, VIEW_LITERAL("In public, before "), fact->score, VIEW_LITERAL(" people"));
    else
        reason_add(scoring, code, left, &fact->moment, texts[code]);
}

static bool fact_counts(const struct scoring *scoring, const struct case_fact *fact)
{
    return fact->moment.at_ms <= scoring->at_ms && fact->moment.at_ms > scoring->from_ms;
}

/* The weightiest words of leaving, law or safety; seldom are there any. */
static const struct case_fact *words_standing(struct scoring *scoring)
{
    const struct care *care = scoring->customer->care;
    const double *weights = scoring->settings->weights;
    const struct case_fact *words = NULL;
    const uint32_t wanted = 1u << HOT_LEAVING_WORDS | 1u << HOT_LAW_WORDS | 1u << HOT_SAFETY_WORDS;
    if (!(care->fact_codes & wanted))
        return NULL;
    for (uint32_t i = 0; i < care->fact_count; i++) {
        const struct case_fact *fact = &care->facts[i];
        if (!(wanted >> fact->code & 1) || !fact_counts(scoring, fact))
            continue;
        scoring->is_always_hot |= fact->code != HOT_LEAVING_WORDS;
        if (words == NULL || weights[fact->code] >= weights[words->code] * left_of(scoring, words->moment.at_ms))
            words = fact;
    }
    return words;
}

/* Of each kind of rating, of negative words and of words in public, the latest: each kind a place. */
enum { STANDING_NEGATIVE = RATING_STARS + 1, STANDING_REACH, STANDING_COUNT };

/* RATING_NONE: none of them. */
static unsigned standing_place(const struct scoring *scoring, const struct case_fact *fact)
{
    if (fact->rating != RATING_NONE)
        return fact->rating;
    if (fact->code == HOT_NEGATIVE_WORDS)
        return STANDING_NEGATIVE;
    bool has_reach = fact->code == HOT_PUBLIC_REACH && fact->score >= scoring->settings->reach_from;
    return has_reach ? STANDING_REACH : RATING_NONE;
}

/* From the newest back, until one of each kind that there is was met: somebody with a long story has few kinds. */
static void facts_standing(const struct scoring *scoring, const struct case_fact *standing[STANDING_COUNT])
{
    const struct care *care = scoring->customer->care;
    unsigned missing = care->fact_ratings & ~(1u << RATING_NONE);
    missing |= (care->fact_codes >> HOT_NEGATIVE_WORDS & 1) << STANDING_NEGATIVE;
    missing |= (care->fact_codes >> HOT_PUBLIC_REACH & 1) << STANDING_REACH;
    for (uint32_t i = care->fact_count; i > 0 && missing; i--) {
        const struct case_fact *fact = &care->facts[i - 1];
        if (fact->moment.at_ms <= scoring->from_ms)
            break;
        unsigned place = standing_place(scoring, fact);
        if (!(missing >> place & 1) || fact->moment.at_ms > scoring->at_ms)
            continue;
        standing[place] = fact;
        missing &= ~(1u << place);
    }
}

static void facts_score(struct scoring *scoring)
{
    const struct case_fact *standing[STANDING_COUNT] = {0};
    facts_standing(scoring, standing);
    const struct case_fact *words = words_standing(scoring);
    for (int rating = RATING_NPS; rating <= RATING_STARS; rating++) {
        if (standing[rating] && standing[rating]->code != FACT_GOOD_SCORE)
            fact_reason(scoring, standing[rating]);
    }
    if (standing[STANDING_NEGATIVE])
        fact_reason(scoring, standing[STANDING_NEGATIVE]);
    if (words)
        fact_reason(scoring, words);
    if (standing[STANDING_REACH])
        fact_reason(scoring, standing[STANDING_REACH]);
}

/* --- the clock --- */

static void deadlines_score(struct scoring *scoring)
{
    static const struct view names[] = {TEXT("first response"), TEXT("resolution")};
    double most = 0;
    int which = 0;
    struct moment start = {0};
    for (uint32_t i = 0; i < scoring->recent_count; i++) {
        struct ticket *ticket = recent_ticket(scoring, i);
        struct sla_reading sla;
        if (ticket->id == NULL)
            continue;
        sla_read(scoring->task, (struct room *)&scoring->customer->room, ticket, scoring->at_ms, &sla); /* none is born const */
        int64_t due_at_ms = sla_due_ms(&sla);
        if (due_at_ms < scoring->out->ticket_due_at_ms)
            scoring->out->ticket_due_at_ms = due_at_ms;
        for (int kind = 0; sla.is_open && kind < PROMISE_COUNT; kind++) {
            const struct promise *promise = &sla.promises[kind];
            bool is_nearest = promise->is_running && (scoring->out->ticket == NULL || promise->elapsed > most);
            if (!is_nearest)
                continue;
            most = promise->elapsed;
            which = kind;
            start = sla.start;
            scoring->out->ticket = ticket;
        }
    }
    if (scoring->out->ticket == NULL || most <= 0.5)
        return;
    struct view id = utf8_prefix(view_of_text(scoring->out->ticket->id), TICKET_ID_SHOWN);
    const struct view parts[] = {VIEW_LITERAL("The "), names[which], VIEW_LITERAL(" of ticket "), id,
                                 most >= 1 ? VIEW_LITERAL(" is overdue") : VIEW_LITERAL(" is due soon")};
    if (most >= 1)
        reason_join(scoring, HOT_DEADLINE_BREACHED, 1, &start, parts, 5);
    else
        reason_join(scoring, HOT_DEADLINE_NEAR, 2 * (most - 0.5), &start, parts, 5);
}

/* --- effort --- */

struct effort {
    uint32_t reopened, handoffs;
    const struct ticket_event *last_reopened, *last_handoff, *repeat;
    int64_t last_opened_ms;
};

static void effort_of_ticket(struct scoring *scoring, const struct ticket *ticket, struct effort *effort)
{
    uint32_t team = 0, handoffs = 0;
    for (uint32_t i = 0; i < ticket->count; i++) {
        const struct ticket_event *event = &ticket->events[i];
        bool is_recent = event->moment.at_ms <= scoring->at_ms && event->moment.at_ms > scoring->at_ms - EFFORT_WITHIN_MS;
        bool is_handoff = event->action == TICKET_ACTION_HANDED_OFF && event->team && event->team != team;
        if (event->team)
            team = event->team;
        handoffs += is_handoff;
        if (is_recent && is_handoff && handoffs > 1) {
            effort->handoffs++;
            effort->last_handoff = event;
        }
        if (is_recent && event->action == TICKET_ACTION_REOPENED) {
            effort->reopened++;
            effort->last_reopened = event;
        }
    }
}

static const struct moment *opening_of(const struct ticket *ticket)
{
    return &ticket->events[ticket_opened(ticket)].moment;
}

/* Both were opened. Events are fetched only where the time does not decide. */
static bool is_opened_before(const struct ticket *ticket, const struct ticket *other)
{
    int64_t at_ms = ticket_glance(ticket)->opened_at_ms, others_ms = ticket_glance(other)->opened_at_ms;
    return at_ms != others_ms ? at_ms < others_ms : moment_is_before(opening_of(ticket), opening_of(other));
}

/* When the customer's own latest ticket was opened, if that was within a week of another one; else NULL. */
static const struct moment *repeat_contact(const struct scoring *scoring)
{
    const struct ticket *latest = NULL;
    for (uint32_t i = 0; i < scoring->recent_count; i++) {
        const struct ticket *ticket = recent_ticket(scoring, i);
        const struct ticket_glance *glance = ticket_glance(ticket);
        if (glance->opened_at_ms <= scoring->at_ms && !glance->opened_by_agent && (latest == NULL || is_opened_before(latest, ticket)))
            latest = ticket;
    }
    int64_t latest_ms = latest ? ticket_glance(latest)->opened_at_ms : INT64_MIN;
    if (latest == NULL || latest_ms <= scoring->at_ms - EFFORT_WITHIN_MS)
        return NULL;
    for (uint32_t i = 0; i < scoring->recent_count; i++) {
        const struct ticket *ticket = recent_ticket(scoring, i);
        int64_t opened_ms = ticket_glance(ticket)->opened_at_ms;
        bool is_near = opened_ms <= scoring->at_ms && latest_ms - opened_ms <= REPEAT_WITHIN_MS;
        if (ticket != latest && is_near && is_opened_before(ticket, latest))
            return opening_of(latest);
    }
    return NULL;
}

static void effort_score(struct scoring *scoring)
{
    struct effort effort = {0};
    for (uint32_t i = 0; i < scoring->recent_count; i++) {
        if (ticket_glance(recent_ticket(scoring, i))->has_effort)
            effort_of_ticket(scoring, recent_ticket(scoring, i), &effort);
    }
    if (effort.last_reopened) {
        double share = (effort.reopened > 1 ? 2 : 1) * left_of(scoring, effort.last_reopened->moment.at_ms);
        const struct moment *moment = &effort.last_reopened->moment;
        if (effort.reopened == 1)
            reason_add(scoring, HOT_REOPENED, share, moment, VIEW_LITERAL("A ticket was reopened"));
        else
            reason_count(scoring, HOT_REOPENED, share, moment, VIEW_LITERAL("Tickets were reopened "), effort.reopened, VIEW_LITERAL(" times"));
    }
    if (effort.last_handoff)
        reason_count(scoring, HOT_HANDOFFS, fmin(effort.handoffs, 3) * left_of(scoring, effort.last_handoff->moment.at_ms),
                     &effort.last_handoff->moment, VIEW_LITERAL("Handed from team to team "), effort.handoffs, VIEW_LITERAL(" times too often"));
    const struct moment *repeat = scoring->recent_count > 1 ? repeat_contact(scoring) : NULL;
    if (repeat)
        reason_add(scoring, HOT_REPEAT_CONTACT, left_of(scoring, repeat->at_ms), repeat,
                   VIEW_LITERAL("Had to come back within a week"));
}

/* --- stakes: they make trouble worse, and are none themselves --- */

static void stakes_score(struct scoring *scoring)
{
    const struct customer *customer = scoring->customer;
    int64_t spent_minor = 0;
    for (uint32_t i = 0; customer->cohort && i < customer->cohort->spent_count; i++) {
        if (customer->cohort->spent[i].amount_minor > spent_minor)
            spent_minor = customer->cohort->spent[i].amount_minor;
    }
    if (spent_minor > 0)
        reason_add(scoring, HOT_CUSTOMER_VALUE, fmin(1, (double)spent_minor / (double)scoring->settings->value_full_minor), NULL,
                   VIEW_LITERAL("A valuable customer"));
    int64_t renews_at_ms = subscriptions_renew_at_ms(customer);
    if (renews_at_ms != NEVER_MS && renews_at_ms > scoring->at_ms && renews_at_ms - scoring->at_ms <= RENEWAL_WITHIN_MS)
        reason_count(scoring, HOT_RENEWAL_NEAR, 1, NULL, VIEW_LITERAL("The term ends in "), (renews_at_ms - scoring->at_ms) / DAYS(1),
                     VIEW_LITERAL(" days"));
    if (mood_falls(customer))
        reason_add(scoring, HOT_FALLING_MOOD, 1, NULL, VIEW_LITERAL("Each of the last three texts is worse than the one before"));
}

/* --- all together --- */

static bool reason_is_before(const struct hot_reason *first, const struct hot_reason *second)
{
    if (first->points != second->points)
        return first->points > second->points;
    return strcmp(first->code, second->code) < 0;
}

static void reasons_sort(struct hot_reading *reading)
{
    for (uint32_t i = 1; i < reading->count; i++) {
        struct hot_reason reason = reading->reasons[i];
        uint32_t at = i;
        for (; at > 0 && reason_is_before(&reason, &reading->reasons[at - 1]); at--)
            reading->reasons[at] = reading->reasons[at - 1];
        reading->reasons[at] = reason;
    }
}

static void sum_up(struct scoring *scoring)
{
    struct hot_reading *out = scoring->out;
    double sum = 0;
    for (uint32_t i = 0; i < out->count; i++)
        sum += out->reasons[i].points;
    double floor_points = scoring->settings->hot_from;
    if (sum < floor_points && scoring->is_always_hot) {
        out->reasons[out->count++] = (struct hot_reason){.code = "always_hot", .points = round((floor_points - sum) * 10) / 10,
                                                         .text = VIEW_LITERAL("Safety and law are always hot")};
        sum = floor_points;
    }
    out->score = sum > 100 ? 100 : round(sum * 10) / 10;
    reasons_sort(out);
}

void hot_score_read(struct journey_task *task, const struct customer *customer, int64_t at_ms, int64_t from_ms,
                    struct arena *arena, struct hot_reading *out)
{
    out->score = 0;
    out->count = 0;
    out->ticket = NULL;
    out->ticket_due_at_ms = NEVER_MS;
    bool is_calm = (customer->care == NULL || customer->care->fact_count == 0) && customer->ticket_count == 0;
    if (is_calm)
        return;
    struct scoring scoring; /* not cleared: most of it is the waits */
    scoring.task = task;
    scoring.customer = customer;
    scoring.settings = &task->shared->settings->cases;
    scoring.at_ms = at_ms;
    scoring.from_ms = from_ms;
    scoring.arena = arena;
    scoring.out = out;
    scoring.recent_count = 0;
    scoring.has_waits = scoring.is_always_hot = false;
    if (customer->ticket_count > 0)
        recent_collect(&scoring);
    if (customer->care)
        facts_score(&scoring);
    if (customer->open_ticket_count > 0)
        deadlines_score(&scoring);
    if (scoring.recent_count > 0)
        effort_score(&scoring);
    if (out->count > 0)
        stakes_score(&scoring);
    sum_up(&scoring);
}

uint64_t hot_reasons_hash(const struct hot_reading *reading)
{
    uint64_t sum = 0; /* of the set, so that the order by points does not matter */
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct hot_reason *reason = &reading->reasons[i];
        sum += hash_mix(identity_of(view_of_text(reason->code)) ^ (reason->has_event ? hash_mix(reason->event.id_low) : 0));
    }
    return sum;
}
