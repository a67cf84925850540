#include "ingest/generate/story.h"

#include "base/clock.h"
#include "ingest/generate/phrases.h"

#include <stdio.h>

static const struct view bad_product = {"router", 6};

void story_init(struct story *story, uint64_t seed)
{
    *story = (struct story){0};
    random_init(&story->random, seed ^ 0x5707195);
}

static int64_t later(struct story *story, int64_t now_ms, int64_t least_ms)
{
    return now_ms + least_ms + random_below(&story->random, (uint32_t)least_ms);
}

bool story_is_bad_day(const struct story *story, struct view product)
{
    return story->now_ms < story->bad_day_ends_ms && view_equal(product, bad_product);
}

double story_gloom(const struct story *story, struct view product)
{
    return story_is_bad_day(story, product) ? -1.3 : 0;
}

static void plan(struct story *story, int64_t now_ms)
{
    story->now_ms = now_ms;
    if (story->next_angry_ms == 0) {
        story->next_angry_ms = later(story, now_ms, SECONDS(10));
        story->next_silence_ms = later(story, now_ms, SECONDS(30));
        story->next_bad_day_ms = later(story, now_ms, MINUTES(10));
    }
    if (now_ms >= story->next_bad_day_ms) {
        story->bad_day_ends_ms = now_ms + MINUTES(15);
        story->next_bad_day_ms = later(story, now_ms, MINUTES(60));
    }
}

static struct view id_of(struct story *story, const char *kind)
{
    int size = snprintf(story->id, sizeof story->id, "%s-%u", kind, story->number);
    return view_of(story->id, (size_t)size);
}

static void ticket_opened(struct story *story, struct touchpoint *out, enum priority priority, enum matter matter)
{
    out->channel = CHANNEL_EMAIL;
    out->body_kind = TOUCHPOINT_BODY_TICKET_CHANGED;
    out->body.ticket_changed = (struct ticket_changed){
        .ticket_id = id_of(story, "TX"),
        .action = TICKET_ACTION_OPENED,
        .has_priority = true,
        .priority = priority,
        .text = phrase_write(story->text, LANGUAGE_ENGLISH, MOOD_BAD, matter, &story->random)};
}

/* Three events some seconds apart. */
static void angry_tell(struct story *story, int64_t now_ms, struct touchpoint *out)
{
    static const char fury[] = "I am furious. The delivery never came, nobody answers, this is the worst service ever. Cancel my contract!";
    switch (story->angry_step++) {
    case 0:
        ticket_opened(story, out, PRIORITY_URGENT, MATTER_DELIVERY);
        break;
    case 1:
        out->body_kind = TOUCHPOINT_BODY_SURVEY_ANSWERED;
        out->body.survey_answered = (struct survey_answered){.survey_id = id_of(story, "SX"),
                                                             .kind = SURVEY_KIND_NPS,
                                                             .score = (int32_t)random_below(&story->random, 2),
                                                             .comment = view_of(fury, sizeof fury - 1)};
        break;
    default:
        out->body_kind = TOUCHPOINT_BODY_TICKET_CHANGED;
        out->body.ticket_changed = (struct ticket_changed){
            .ticket_id = id_of(story, "TX"),
            .action = TICKET_ACTION_CUSTOMER_REPLIED,
            .text = phrase_write(story->text, LANGUAGE_ENGLISH, MOOD_BAD, MATTER_SUPPORT, &story->random)};
        story->angry_step = 0;
        story->next_angry_ms = later(story, now_ms, MINUTES(3));
        return;
    }
    story->next_angry_ms = now_ms + SECONDS(6);
}

bool story_tell(struct story *story, int64_t now_ms, struct touchpoint *out, uint32_t *customer, uint32_t customers)
{
    plan(story, now_ms);
    if (now_ms >= story->next_angry_ms) {
        if (story->angry_step == 0) {
            story->number = (uint32_t)(random_next(&story->random) >> 36);
            story->angry_customer = random_below(&story->random, customers);
        }
        *customer = story->angry_customer;
        angry_tell(story, now_ms, out);
        return true;
    }
    if (now_ms >= story->next_silence_ms && story->angry_step == 0) {
        story->next_silence_ms = later(story, now_ms, MINUTES(5));
        story->number = (uint32_t)(random_next(&story->random) >> 36);
        *customer = random_below(&story->random, customers);
        ticket_opened(story, out, PRIORITY_NORMAL, MATTER_PRODUCT);
        return true;
    }
    return false;
}
