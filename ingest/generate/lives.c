/* How lives are told: each call draws a kind of event from the mix. Kinds that follow from others (a delivery from an order, an
 * answer from a survey, a ticket's next step) take the matter that waits longest, or any open ticket; others draw a customer.
 *
 * Every customer has a temper, every product a quality; scores and texts follow from both, so that the numbers of a product or
 * a segment differ as they do in life. */
#include "ingest/generate/lives.h"

#include "base/hash.h"
#include "base/memory.h"
#include "ingest/generate/phrases.h"
#include "ingest/generate/story.h"
#include "ingest/generate/zipf.h"

#include <math.h>
#include <stdlib.h>

enum { RING_SIZE = 1 << 16, TICKETS_MAX = 10000, OPEN_PER_CUSTOMER_MAX = 3, OPEN_TRIES_MAX = 20, KEY_SPREAD = 7919, SHARES = 10000 };

enum ticket_state { TICKET_NEW, TICKET_ANSWERED, TICKET_SOLVED, TICKET_BACK };

struct ticket {
    uint32_t customer, number;
    uint8_t state, matter;
    bool wants_handoff;
    int8_t mood;
};

/* Something begun that waits for its other half. */
struct matter_open {
    uint32_t customer, number;
    uint8_t kind;       /* SurveyKind, or how far a campaign or subscription has come */
    uint32_t about;     /* a ticket's number, or 0 */
};

struct ring {
    struct matter_open *items;
    uint32_t head, tail; /* head: oldest */
};

struct lives {
    struct lives_options options;
    struct random random;
    struct zipf zipf;
    struct story story;
    struct ticket tickets[TICKETS_MAX];
    uint32_t ticket_count, tickets_wanted, numbers;
    uint8_t *open_of; /* tickets open per customer */
    struct ring orders, surveys, campaigns, subscriptions;
    uint8_t body_of[SHARES]; /* the mix as a table to draw from */
    char customer_id[16], id[16], about[16], visit[16], text[PHRASE_BYTES_MAX];
};

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

#define WORD(text) {text, sizeof(text) - 1}
static const struct view products[] = {WORD("basic"), WORD("plus"), WORD("pro"), WORD("family"), WORD("team"), WORD("mobile"), WORD("fiber"),
    WORD("tv"), WORD("music"), WORD("cloud"), WORD("router"), WORD("watch"), WORD("tablet"), WORD("phone"), WORD("laptop"), WORD("camera"),
    WORD("speaker"), WORD("thermostat"), WORD("insurance"), WORD("gift-card")};
static const struct view segments[] = {WORD("consumer"), WORD("student"), WORD("business"), WORD("senior"), WORD("vip")};
static const struct view regions[LANGUAGE_COUNT] = {WORD("GB"), WORD("DE"), WORD("FR"), WORD("BR")};
static const struct view teams[] = {WORD("frontline"), WORD("billing"), WORD("technical"), WORD("retention")};
static const struct view features[] = {WORD("login"), WORD("search"), WORD("export"), WORD("sync"), WORD("share"), WORD("upload"), WORD("stream"),
    WORD("settings")};
static const struct view returns[] = {WORD("damaged"), WORD("wrong item"), WORD("changed mind"), WORD("late")};
static const struct view currencies[] = {WORD("EUR"), WORD("USD"), WORD("GBP")};
static const struct view networks[] = {WORD("x"), WORD("mastodon"), WORD("facebook")};
static const struct view device_codes[] = {WORD("E01"), WORD("E17"), WORD("battery-low"), WORD("overheat"), WORD("offline")};
static const struct view campaigns[] = {WORD("welcome"), WORD("spring"), WORD("check-in"), WORD("thanks"), WORD("winback")};
static const struct view people[] = {WORD("ana"), WORD("ben"), WORD("chloe"), WORD("dmitri"), WORD("eve")};
#define CHOOSE(list) (list)[random_below(&lives->random, sizeof(list) / sizeof *(list))]

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

static void ring_put(struct ring *ring, struct matter_open item)
{
    ring->items[ring->tail++ % RING_SIZE] = item;
    if (ring->tail - ring->head > RING_SIZE)
        ring->head++; /* the oldest is never finished */
}

static bool ring_take(struct ring *ring, struct matter_open *item)
{
    if (ring->head == ring->tail)
        return false;
    *item = ring->items[ring->head++ % RING_SIZE];
    return true;
}

/* --- people --- */

/* "T00000042": faster than printf, which would be the generator's largest cost. */
static struct view id_write(char text[16], char letter, uint32_t number, int digits)
{
    text[0] = letter;
    for (int i = digits; i > 0; i--) {
        text[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return view_of(text, (size_t)digits + 1);
}

static struct view id_of(struct lives *lives, char letter, uint32_t number)
{
    return id_write(lives->id, letter, number, 8);
}

static uint32_t anyone(struct lives *lives)
{
    return zipf_draw(&lives->zipf, &lives->random);
}

/* The frequent ones are spread over the ids. */
static uint32_t public_number(const struct lives *lives, uint32_t customer)
{
    return (uint32_t)((uint64_t)customer * KEY_SPREAD % lives->options.customers);
}

static enum language language_of(uint32_t customer)
{
    uint64_t fate = hash_mix(customer + 77) % 10;
    return fate < 6 ? LANGUAGE_ENGLISH : (enum language)(1 + fate % 3);
}

/* −1 … 1: the customer's temper, the product's quality, and what the story of the hour adds. */
static double contentment(struct lives *lives, uint32_t customer, const struct touchpoint *touch)
{
    double temper = (double)(hash_mix(customer + 1) >> 40) * 0x1p-24 * 1.5 - 0.55;
    double quality = touch->product.data ? (double)(hash_bytes(touch->product) >> 40) * 0x1p-24 * 0.6 - 0.3 : 0;
    return temper + quality + story_gloom(&lives->story, touch->product) + 0.35 * random_normal(&lives->random);
}

static enum mood mood_of(double contentment)
{
    return contentment < -0.25 ? MOOD_BAD : contentment > 0.3 ? MOOD_GOOD : MOOD_PLAIN;
}

static struct view words(struct lives *lives, uint32_t customer, enum mood mood, enum matter matter)
{
    enum language language = lives->options.mix == MIX_PEERS ? LANGUAGE_ENGLISH : language_of(customer);
    return phrase_write(lives->text, language, mood, matter, &lives->random);
}

static int score_of(double contentment, double middle, double slope, int least, int most)
{
    int score = (int)lround(middle + slope * contentment);
    return score < least ? least : score > most ? most : score;
}

static enum matter any_matter(struct lives *lives)
{
    return (enum matter)random_below(&lives->random, MATTER_COUNT);
}

/* --- orders --- */

static uint32_t tell_order(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = anyone(lives), number = ++lives->numbers;
    bool is_offer = lives->options.mix == MIX_FULL && random_below(&lives->random, 10) == 0;
    touch->body.order_placed = (struct order_placed){.order_id = id_of(lives, 'O', number),
                                                     .amount_minor = 500 + random_below(&lives->random, 50000),
                                                     .currency = CHOOSE(currencies),
                                                     .has_offer = is_offer,
                                                     .offer = (enum offer)random_below(&lives->random, OFFER_COUNT)};
    ring_put(&lives->orders, (struct matter_open){.customer = customer, .number = number});
    return customer;
}

static uint32_t tell_delivery(struct lives *lives, struct touchpoint *touch, int64_t now_ms)
{
    struct matter_open order;
    if (!ring_take(&lives->orders, &order))
        order = (struct matter_open){.customer = anyone(lives), .number = ++lives->numbers};
    uint32_t late_in_100 = story_is_bad_day(&lives->story, touch->product) ? 60 : 8;
    bool is_late = lives->options.mix == MIX_FULL && random_below(&lives->random, 100) < late_in_100;
    int64_t distance_ms = 3600000 + (int64_t)random_below(&lives->random, 3 * 86400) * 1000;
    touch->body.order_delivered = (struct order_delivered){.order_id = id_of(lives, 'O', order.number),
                                                           .has_promised_at = true,
                                                           .promised_at_ms = now_ms + (is_late ? -distance_ms : distance_ms)};
    return order.customer;
}

static uint32_t tell_return(struct lives *lives, struct touchpoint *touch)
{
    uint32_t waiting = lives->orders.tail - lives->orders.head, number = ++lives->numbers, customer = anyone(lives);
    if (lives->orders.tail > 0 && waiting < RING_SIZE / 2) { /* one of the latest delivered, where there is one */
        const struct matter_open *order = &lives->orders.items[(lives->orders.head - 1) % RING_SIZE];
        if (lives->orders.head > 0) {
            number = order->number;
            customer = order->customer;
        }
    }
    touch->body.product_returned = (struct product_returned){id_of(lives, 'O', number), CHOOSE(returns)};
    return customer;
}

/* --- tickets --- */

/* NULL: everyone who came by has tickets enough. */
static struct ticket *ticket_open(struct lives *lives, const struct touchpoint *touch)
{
    uint32_t customer = 0;
    for (int tries = 0; tries < OPEN_TRIES_MAX; tries++) {
        customer = anyone(lives);
        if (lives->open_of[customer] < OPEN_PER_CUSTOMER_MAX)
            break;
    }
    if (lives->open_of[customer] >= OPEN_PER_CUSTOMER_MAX && lives->ticket_count > 0)
        return NULL;
    lives->open_of[customer]++;
    struct ticket *ticket = &lives->tickets[lives->ticket_count++];
    *ticket = (struct ticket){.customer = customer,
                              .number = ++lives->numbers,
                              .matter = (uint8_t)any_matter(lives),
                              .wants_handoff = random_below(&lives->random, 100) < 30,
                              .mood = (int8_t)mood_of(contentment(lives, customer, touch) - 0.3)};
    return ticket;
}

/* What comes next in a ticket's life, and the state after it. */
static enum ticket_action ticket_step(struct lives *lives, struct ticket *ticket)
{
    uint32_t chance = random_below(&lives->random, 100);
    switch (ticket->state) {
    case TICKET_NEW:
        if (chance < 15)
            return TICKET_ACTION_CUSTOMER_REPLIED;
        if (chance < 25 && lives->options.mix == MIX_FULL)
            return TICKET_ACTION_ASSIGNED;
        ticket->state = TICKET_ANSWERED;
        return TICKET_ACTION_AGENT_REPLIED;
    case TICKET_SOLVED:
        if (chance >= 10)
            return TICKET_ACTION_CLOSED;
        ticket->state = TICKET_BACK;
        return TICKET_ACTION_REOPENED;
    default:
        if (ticket->wants_handoff && chance < 40) {
            ticket->wants_handoff = false;
            return TICKET_ACTION_HANDED_OFF;
        }
        if (chance < 60) {
            ticket->state = TICKET_SOLVED;
            return TICKET_ACTION_RESOLVED;
        }
        if (lives->options.mix == MIX_FULL && chance < 66)
            return chance < 64 ? TICKET_ACTION_PENDING : TICKET_ACTION_ESCALATED;
        return chance < 82 ? TICKET_ACTION_CUSTOMER_REPLIED : TICKET_ACTION_AGENT_REPLIED;
    }
}

static struct view agent_words(struct lives *lives, uint32_t customer, const struct ticket *ticket)
{
    return words(lives, customer, MOOD_PLAIN, (enum matter)ticket->matter);
}

static uint32_t tell_ticket(struct lives *lives, struct touchpoint *touch)
{
    bool wants_new = lives->ticket_count < lives->tickets_wanted / 100 + 1 ||
                     random_below(&lives->random, 100) < (lives->ticket_count < lives->tickets_wanted ? 40u : 18u);
    struct ticket_changed *out = &touch->body.ticket_changed;
    struct ticket *ticket = wants_new && lives->ticket_count < TICKETS_MAX ? ticket_open(lives, touch) : NULL;
    if (ticket) {
        out->action = TICKET_ACTION_OPENED;
    } else {
        ticket = &lives->tickets[random_below(&lives->random, lives->ticket_count)];
        out->action = ticket_step(lives, ticket);
    }
    uint32_t customer = ticket->customer;
    out->ticket_id = id_of(lives, 'T', ticket->number);
    if (out->action == TICKET_ACTION_AGENT_REPLIED || out->action == TICKET_ACTION_HANDED_OFF ||
        out->action == TICKET_ACTION_ASSIGNED)
        out->team = CHOOSE(teams);
    if (lives->options.mix == MIX_FULL && out->action == TICKET_ACTION_OPENED) {
        out->has_priority = true;
        out->priority = ticket->mood == MOOD_BAD ? PRIORITY_HIGH : PRIORITY_NORMAL;
    }
    if (out->action == TICKET_ACTION_AGENT_REPLIED)
        out->text = agent_words(lives, customer, ticket);
    else if (out->action <= TICKET_ACTION_CUSTOMER_REPLIED)
        out->text = words(lives, customer, (enum mood)ticket->mood, (enum matter)ticket->matter);
    if (out->action == TICKET_ACTION_CLOSED) {
        if (lives->options.mix == MIX_FULL)
            ring_put(&lives->surveys, (struct matter_open){customer, ++lives->numbers, SURVEY_KIND_CSAT, ticket->number});
        lives->open_of[customer]--;
        *ticket = lives->tickets[--lives->ticket_count];
    }
    return customer;
}

/* --- surveys and words --- */

static uint32_t tell_survey(struct lives *lives, struct touchpoint *touch)
{
    uint32_t kinds = lives->options.mix == MIX_PEERS ? 3 : SURVEY_KIND_COUNT;
    struct matter_open survey = {anyone(lives), ++lives->numbers, (uint8_t)random_below(&lives->random, kinds), 0};
    touch->body.survey_sent =
        (struct survey_sent){.survey_id = id_of(lives, 'S', survey.number), .kind = (enum survey_kind)survey.kind};
    ring_put(&lives->surveys, survey);
    return survey.customer;
}

static int answer_score(enum survey_kind kind, double content)
{
    switch (kind) {
    case SURVEY_KIND_CSAT:
        return score_of(content, 3.6, 1.6, 1, 5);
    case SURVEY_KIND_CES:
        return score_of(content, 4.9, 2.2, 1, 7);
    default:
        return score_of(content, 7.2, 3.6, 0, 10);
    }
}

static uint32_t tell_answer(struct lives *lives, struct touchpoint *touch)
{
    struct matter_open survey;
    if (!ring_take(&lives->surveys, &survey))
        survey = (struct matter_open){anyone(lives), ++lives->numbers, (uint8_t)random_below(&lives->random, 3), 0};
    double content = contentment(lives, survey.customer, touch);
    struct survey_answered *out = &touch->body.survey_answered;
    out->survey_id = id_of(lives, 'S', survey.number);
    out->kind = (enum survey_kind)survey.kind;
    out->score = answer_score(out->kind, content);
    if (survey.about)
        out->about = id_write(lives->about, 'T', survey.about, 8);
    if (random_below(&lives->random, 2))
        out->comment = words(lives, survey.customer, mood_of(content), any_matter(lives));
    return survey.customer;
}

static uint32_t tell_review(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = anyone(lives);
    double content = contentment(lives, customer, touch);
    bool is_bad_day = story_is_bad_day(&lives->story, touch->product);
    enum matter matter = is_bad_day ? MATTER_DELIVERY : any_matter(lives);
    touch->body.review_posted =
        (struct review_posted){score_of(content, 3.6, 1.7, 1, 5), words(lives, customer, mood_of(content), matter)};
    return customer;
}

static uint32_t tell_mention(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = anyone(lives);
    enum mood mood = mood_of(contentment(lives, customer, touch));
    touch->body.social_mention = (struct social_mention){CHOOSE(networks), (int32_t)random_below(&lives->random, 100000),
                                                         words(lives, customer, mood, any_matter(lives))};
    return customer;
}

static uint32_t tell_interview(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = anyone(lives);
    enum mood mood = mood_of(contentment(lives, customer, touch));
    touch->body.interview_held = (struct interview_held){CHOOSE(people), words(lives, customer, mood, any_matter(lives))};
    return customer;
}

/* --- the rest --- */

static uint32_t tell_message(struct lives *lives, struct touchpoint *touch)
{
    struct matter_open message;
    bool goes_on = random_below(&lives->random, 3) && ring_take(&lives->campaigns, &message);
    if (!goes_on)
        message = (struct matter_open){.customer = anyone(lives), .number = ++lives->numbers, .kind = ENGAGEMENT_SENT};
    touch->body.message_engaged = (struct message_engaged){.campaign = campaigns[message.number % 5],
                                                           .kind = (enum message_kind)(message.number % MESSAGE_KIND_COUNT),
                                                           .action = (enum engagement)message.kind};
    static const uint8_t goes_on_in_100[] = {[ENGAGEMENT_SENT] = 97, [ENGAGEMENT_DELIVERED] = 45, [ENGAGEMENT_OPENED] = 25};
    if (message.kind <= ENGAGEMENT_OPENED && random_below(&lives->random, 100) < goes_on_in_100[message.kind]) {
        message.kind++;
        ring_put(&lives->campaigns, message);
    }
    return message.customer;
}

static uint32_t tell_subscription(struct lives *lives, struct touchpoint *touch, int64_t now_ms)
{
    struct matter_open one;
    bool goes_on = random_below(&lives->random, 2) && ring_take(&lives->subscriptions, &one);
    if (!goes_on)
        one = (struct matter_open){.customer = anyone(lives), .number = ++lives->numbers};
    enum subscription_action action = !goes_on                                     ? SUBSCRIPTION_ACTION_STARTED
                                      : random_below(&lives->random, 100) < 80 ? SUBSCRIPTION_ACTION_RENEWED
                                      : random_below(&lives->random, 2)        ? SUBSCRIPTION_ACTION_LAPSED
                                                                               : SUBSCRIPTION_ACTION_CANCELLED;
    bool is_alive = action <= SUBSCRIPTION_ACTION_RENEWED;
    touch->body.subscription_changed = (struct subscription_changed){.subscription_id = id_of(lives, 'B', one.number),
                                                                     .action = action,
                                                                     .has_term_ends_at = is_alive,
                                                                     .term_ends_at_ms = now_ms + INT64_C(30) * 86400000,
                                                                     .has_amount_minor = is_alive,
                                                                     .amount_minor = 999,
                                                                     .currency = is_alive ? currencies[0] : (struct view){0}};
    if (is_alive)
        ring_put(&lives->subscriptions, one);
    return one.customer;
}

static uint32_t tell_small(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = anyone(lives);
    struct random *random = &lives->random;
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_PRODUCT_USED:
        touch->body.product_used = (struct product_used){CHOOSE(features), (int32_t)(1 + random_below(random, 1800))};
        break;
    case TOUCHPOINT_BODY_DEVICE_REPORTED:
        touch->body.device_reported = (struct device_reported){id_of(lives, 'D', public_number(lives, customer)), CHOOSE(device_codes),
                                                               random_below(random, 50) ? SEVERITY_INFO : SEVERITY_CRITICAL};
        break;
    case TOUCHPOINT_BODY_SERVICE_VISITED:
        touch->body.service_visited = (struct service_visited){id_of(lives, 'V', ++lives->numbers),
                                                               {NULL, 0},
                                                               (enum visit_kind)random_below(random, VISIT_KIND_COUNT),
                                                               random_below(random, 100) < 85};
        break;
    case TOUCHPOINT_BODY_LOYALTY_CHANGED:
        touch->body.loyalty_changed = (struct loyalty_changed){(enum loyalty_action)random_below(random, 3), (int32_t)random_below(random, 500)};
        break;
    case TOUCHPOINT_BODY_REFERRAL_MADE:
        touch->body.referral_made = (struct referral_made){id_write(lives->about, 'C', public_number(lives, anyone(lives)), 7),
                                                           random_below(random, 3) == 0};
        break;
    case TOUCHPOINT_BODY_CASE_ACTED:
        touch->body.case_acted = (struct case_acted){id_of(lives, 'K', ++lives->numbers), CASE_ACTION_ACKNOWLEDGED, CHOOSE(people), {NULL, 0}};
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
        return tell_order(lives, touch);
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
        return tell_delivery(lives, touch, now_ms);
    case TOUCHPOINT_BODY_PRODUCT_RETURNED:
        return tell_return(lives, touch);
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        return tell_ticket(lives, touch);
    case TOUCHPOINT_BODY_SURVEY_SENT:
        return tell_survey(lives, touch);
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
        return tell_answer(lives, touch);
    case TOUCHPOINT_BODY_REVIEW_POSTED:
        return tell_review(lives, touch);
    case TOUCHPOINT_BODY_SOCIAL_MENTION:
        return tell_mention(lives, touch);
    case TOUCHPOINT_BODY_INTERVIEW_HELD:
        return tell_interview(lives, touch);
    case TOUCHPOINT_BODY_MESSAGE_ENGAGED:
        return tell_message(lives, touch);
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
        return tell_subscription(lives, touch, now_ms);
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
    out->customer_id = id_write(lives->customer_id, 'C', public_number(lives, customer), 7);
    if (customer % 10)
        out->segment = segments[customer % 5];
    if (lives->options.mix == MIX_FULL)
        out->region = regions[language_of(customer)];
}
