/* How lives are told: each call draws a kind of event from the mix. Kinds that follow from others (a delivery from an order, an
 * answer from a survey, a ticket's next step) take the matter that waits longest, or any open ticket; others draw a customer.
 *
 * Every customer has a temper, every product a quality; scores and texts follow from both, so that the numbers of a product or
 * a segment differ as they do in life. */
#include "ingest/generate/lives_private.h"

#include "base/hash.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static const struct share {
    enum touchpoint_body_kind kind;
    int full, peers; /* of SHARES */
} shares[] = {
    {TOUCHPOINT_BODY_PRODUCT_USED, 3600, 4000},      {TOUCHPOINT_BODY_TICKET_CHANGED, 1900, 2000},
    {TOUCHPOINT_BODY_SURVEY_SENT, 760, 800},         {TOUCHPOINT_BODY_SURVEY_ANSWERED, 760, 800},
    {TOUCHPOINT_BODY_ORDER_PLACED, 760, 800},        {TOUCHPOINT_BODY_ORDER_DELIVERED, 570, 600},
    {TOUCHPOINT_BODY_REVIEW_POSTED, 380, 400},       {TOUCHPOINT_BODY_SOCIAL_MENTION, 380, 400},
    {TOUCHPOINT_BODY_PRODUCT_RETURNED, 190, 200},    {TOUCHPOINT_BODY_MESSAGE_ENGAGED, 300, 0},
    {TOUCHPOINT_BODY_DEVICE_REPORTED, 120, 0},       {TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED, 80, 0},
    {TOUCHPOINT_BODY_LOYALTY_CHANGED, 70, 0},        {TOUCHPOINT_BODY_SERVICE_VISITED, 60, 0},
    {TOUCHPOINT_BODY_REFERRAL_MADE, 30, 0},          {TOUCHPOINT_BODY_INTERVIEW_HELD, 30, 0},
    {TOUCHPOINT_BODY_CASE_ACTED, 9, 0},              {TOUCHPOINT_BODY_CUSTOMER_FORGOTTEN, 1, 0},
};

static const struct view products[] = {WORD("basic"), WORD("plus"), WORD("pro"), WORD("family"), WORD("team"), WORD("mobile"), WORD("fiber"),
    WORD("tv"), WORD("music"), WORD("cloud"), WORD("router"), WORD("watch"), WORD("tablet"), WORD("phone"), WORD("laptop"), WORD("camera"),
    WORD("speaker"), WORD("thermostat"), WORD("insurance"), WORD("gift-card")};
static const struct view segments[] = {WORD("consumer"), WORD("student"), WORD("business"), WORD("senior"), WORD("vip")};
static const struct view regions[LANGUAGE_COUNT] = {WORD("GB"), WORD("DE"), WORD("FR"), WORD("BR")};
static const struct view features[] = {WORD("login"), WORD("search"), WORD("export"), WORD("sync"), WORD("share"), WORD("upload"), WORD("stream"),
    WORD("settings")};
static const struct view device_codes[] = {WORD("E01"), WORD("E17"), WORD("battery-low"), WORD("overheat"), WORD("offline")};
static const struct view people[] = {WORD("ana"), WORD("ben"), WORD("chloe"), WORD("dmitri"), WORD("eve")};

/* --- life --- */

static void mix_spread(struct lives *lives)
{
    int at = 0;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        int end = at + (lives->options.mix == MIX_PEERS ? shares[i].peers : shares[i].full);
        while (at < end)
            lives->body_of[at++] = (uint8_t)shares[i].kind;
    }
}

struct lives *lives_create(const struct lives_options *options)
{
    struct lives *lives = memory_zeroed(1, sizeof *lives);
    lives->options = *options;
    lives->numbers = options->first_number;
    random_init(&lives->random, options->seed);
    zipf_init(&lives->zipf, options->customers, 0.8);
    story_init(&lives->story, options->seed);
    lives->open_of = memory_zeroed(options->customers, 1);
    lives->tickets_wanted = options->customers / 50 < 20 ? 20 : options->customers / 50 > TICKETS_MAX * 9 / 10
                                                                    ? TICKETS_MAX * 9 / 10
                                                                    : options->customers / 50;
    struct ring *rings[] = {&lives->orders, &lives->surveys, &lives->campaigns, &lives->subscriptions};
    for (size_t i = 0; i < 4; i++)
        rings[i]->items = memory_allocate(RING_SIZE * sizeof *rings[i]->items);
    mix_spread(lives);
    return lives;
}

void lives_destroy(struct lives *lives)
{
    if (!lives)
        return;
    zipf_finish(&lives->zipf);
    free(lives->open_of);
    free(lives->orders.items);
    free(lives->surveys.items);
    free(lives->campaigns.items);
    free(lives->subscriptions.items);
    free(lives);
}

void lives_ring_put(struct ring *ring, struct matter_open item, int64_t now_ms)
{
    item.since_ms = now_ms;
    ring->items[ring->tail++ % RING_SIZE] = item;
    if (ring->tail - ring->head > RING_SIZE)
        ring->head++; /* the oldest is never finished */
}

bool lives_ring_take(struct ring *ring, int64_t now_ms, int64_t patience_ms, struct matter_open *item)
{
    while (ring->head != ring->tail && now_ms - ring->items[ring->head % RING_SIZE].since_ms > patience_ms)
        ring->head++;
    if (ring->head == ring->tail)
        return false;
    *item = ring->items[ring->head++ % RING_SIZE];
    return true;
}

/* --- people --- */

/* "T00000042": faster than printf, which would be the generator's largest cost. */
struct view lives_id_write(char text[16], char letter, uint32_t number, int digits)
{
    text[0] = letter;
    for (int i = digits; i > 0; i--) {
        text[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return view_of(text, (size_t)digits + 1);
}

struct view lives_id(struct lives *lives, char letter, uint32_t number)
{
    return lives_id_write(lives->id, letter, number, 8);
}

uint32_t lives_anyone(struct lives *lives)
{
    return zipf_draw(&lives->zipf, &lives->random);
}

/* The frequent ones are spread over the ids. */
uint32_t lives_public_number(const struct lives *lives, uint32_t customer)
{
    return (uint32_t)((uint64_t)customer * KEY_SPREAD % lives->options.customers);
}

static enum language language_of(uint32_t customer)
{
    uint64_t fate = hash_mix(customer + 77) % 10;
    return fate < 6 ? LANGUAGE_ENGLISH : (enum language)(1 + fate % 3);
}

/* −1 … 1: the customer's temper, the product's quality, and what the story of the hour adds. */
double lives_contentment(struct lives *lives, uint32_t customer, const struct touchpoint *touch)
{
    double temper = (double)(hash_mix(customer + 1) >> 40) * 0x1p-24 * 1.5 - 0.55;
    double quality = touch->product.data ? (double)(hash_bytes(touch->product) >> 40) * 0x1p-24 * 0.6 - 0.3 : 0;
    return temper + quality + story_gloom(&lives->story, touch->product) + 0.35 * random_normal(&lives->random);
}

enum mood lives_mood(double contentment)
{
    return contentment < -0.25 ? MOOD_BAD : contentment > 0.3 ? MOOD_GOOD : MOOD_PLAIN;
}

static enum language tongue_of(const struct lives *lives, uint32_t customer)
{
    return lives->options.mix == MIX_PEERS ? LANGUAGE_ENGLISH : language_of(customer);
}

struct view lives_words(struct lives *lives, uint32_t customer, enum mood mood, enum matter matter)
{
    return phrase_write(lives->text, tongue_of(lives, customer), mood, matter, &lives->random);
}

struct view lives_reply(struct lives *lives, uint32_t customer)
{
    return phrase_reply(lives->text, tongue_of(lives, customer), &lives->random);
}

int lives_score(double contentment, double middle, double slope, int least, int most)
{
    int score = (int)lround(middle + slope * contentment);
    return score < least ? least : score > most ? most : score;
}

enum matter lives_any_matter(struct lives *lives)
{
    return (enum matter)random_below(&lives->random, MATTER_COUNT);
}

/* --- events --- */

static uint32_t tell_small(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = lives_anyone(lives);
    struct random *random = &lives->random;
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_PRODUCT_USED:
        touch->body.product_used = (struct product_used){CHOOSE(features), (int32_t)(1 + random_below(random, 1800))};
        break;
    case TOUCHPOINT_BODY_DEVICE_REPORTED:
        touch->body.device_reported = (struct device_reported){lives_id(lives, 'D', lives_public_number(lives, customer)), CHOOSE(device_codes),
                                                               random_below(random, 50) ? SEVERITY_INFO : SEVERITY_CRITICAL};
        break;
    case TOUCHPOINT_BODY_SERVICE_VISITED:
        touch->body.service_visited = (struct service_visited){lives_id(lives, 'V', ++lives->numbers),
                                                               {NULL, 0},
                                                               (enum visit_kind)random_below(random, VISIT_KIND_COUNT),
                                                               random_below(random, 100) < 85};
        break;
    case TOUCHPOINT_BODY_LOYALTY_CHANGED:
        touch->body.loyalty_changed = (struct loyalty_changed){(enum loyalty_action)random_below(random, 3), (int32_t)random_below(random, 500)};
        break;
    case TOUCHPOINT_BODY_REFERRAL_MADE:
        touch->body.referral_made = (struct referral_made){lives_id_write(lives->about, 'C', lives_public_number(lives, lives_anyone(lives)), 7),
                                                           random_below(random, 3) == 0};
        break;
    case TOUCHPOINT_BODY_CASE_ACTED:
        touch->body.case_acted = (struct case_acted){lives_id(lives, 'K', ++lives->numbers), CASE_ACTION_ACKNOWLEDGED, CHOOSE(people), {NULL, 0}};
        break;
    default: /* CustomerForgotten: one of those who are seldom heard of */
        customer = lives->options.customers - 1 - random_below(random, 1 + lives->options.customers / 2);
        break;
    }
    return customer;
}

static uint32_t tell(struct lives *lives, struct touchpoint *touch, int64_t now_ms)
{
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_ORDER_PLACED:
        return lives_tell_order(lives, touch);
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
        return lives_tell_delivery(lives, touch, now_ms);
    case TOUCHPOINT_BODY_PRODUCT_RETURNED:
        return lives_tell_return(lives, touch);
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        return lives_tell_ticket(lives, touch);
    case TOUCHPOINT_BODY_SURVEY_SENT:
        return lives_tell_survey(lives, touch);
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
        return lives_tell_answer(lives, touch);
    case TOUCHPOINT_BODY_REVIEW_POSTED:
        return lives_tell_review(lives, touch);
    case TOUCHPOINT_BODY_SOCIAL_MENTION:
        return lives_tell_mention(lives, touch);
    case TOUCHPOINT_BODY_INTERVIEW_HELD:
        return lives_tell_interview(lives, touch);
    case TOUCHPOINT_BODY_MESSAGE_ENGAGED:
        return lives_tell_message(lives, touch);
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
        return lives_tell_subscription(lives, touch, now_ms);
    default:
        return tell_small(lives, touch);
    }
}

static struct uuid any_uuid(struct random *random)
{
    struct uuid uuid;
    uint64_t bits[2] = {random_next(random), random_next(random)};
    memcpy(uuid.bytes, bits, sizeof uuid.bytes);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

void lives_next(struct lives *lives, int64_t now_ms, struct touchpoint *out)
{
    struct random *random = &lives->random;
    *out = (struct touchpoint){.event_id = any_uuid(random),
                               .received_at_ms = now_ms,
                               .source = VIEW_LITERAL("gen"),
                               .channel = (enum channel)random_below(random, CHANNEL_COUNT)};
    out->occurred_at_ms = now_ms;
    if (lives->options.disorder_ms > 0)
        out->occurred_at_ms -= (int64_t)(((random_next(random) >> 32) * (uint64_t)lives->options.disorder_ms) >> 32);
    if (random_below(random, 10))
        out->product = CHOOSE(products);
    uint32_t customer;
    if (!lives->options.has_stories || !story_tell(&lives->story, now_ms, out, &customer, lives->options.customers)) {
        out->body_kind = (enum touchpoint_body_kind)lives->body_of[random_below(random, SHARES)];
        customer = tell(lives, out, now_ms);
    }
    out->customer_id = lives_id_write(lives->customer_id, 'C', lives_public_number(lives, customer), 7);
    if (customer % 10)
        out->segment = segments[customer % 5];
    if (lives->options.mix == MIX_FULL)
        out->region = regions[language_of(customer)];
}
