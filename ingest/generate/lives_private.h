/* What the parts of lives share; nobody else includes this. lives.c: who and when; lives_orders.c, lives_tickets.c, lives_voice.c: what. */
#ifndef TS_INGEST_GENERATE_LIVES_PRIVATE_H
#define TS_INGEST_GENERATE_LIVES_PRIVATE_H

#include "ingest/generate/lives.h"
#include "ingest/generate/phrases.h"
#include "ingest/generate/story.h"
#include "ingest/generate/zipf.h"

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
    int64_t since_ms;
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

#define WORD(text) {text, sizeof(text) - 1}
#define CHOOSE(list) (list)[random_below(&lives->random, sizeof(list) / sizeof *(list))]

/* --- what every part may use --- */

/* The oldest is forgotten when the ring is full. What has waited longer than `patience_ms` is not taken: who has not answered by then never will. (More is
 * begun than finished, so without that all would wait for weeks in weeks of traffic.) */
void lives_ring_put(struct ring *ring, struct matter_open item, int64_t now_ms);
bool lives_ring_take(struct ring *ring, int64_t now_ms, int64_t patience_ms, struct matter_open *item);

/* "T00000042" */
struct view lives_id_write(char text[16], char letter, uint32_t number, int digits);
struct view lives_id(struct lives *lives, char letter, uint32_t number); /* in lives->id */

uint32_t lives_anyone(struct lives *lives);
uint32_t lives_public_number(const struct lives *lives, uint32_t customer);

/* −1 … 1: the customer's temper, the product's quality, and what the story of the hour adds. */
double lives_contentment(struct lives *lives, uint32_t customer, const struct touchpoint *touch);
enum mood lives_mood(double contentment);
struct view lives_words(struct lives *lives, uint32_t customer, enum mood mood, enum matter matter); /* in lives->text */
struct view lives_reply(struct lives *lives, uint32_t customer);
int lives_score(double contentment, double middle, double slope, int least, int most);
enum matter lives_any_matter(struct lives *lives);

/* --- each fills the body, of which touch->body_kind says the kind, and answers whose it is --- */

uint32_t lives_tell_order(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_delivery(struct lives *lives, struct touchpoint *touch, int64_t now_ms);
uint32_t lives_tell_return(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_subscription(struct lives *lives, struct touchpoint *touch, int64_t now_ms);
uint32_t lives_tell_ticket(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_survey(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_answer(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_review(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_mention(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_interview(struct lives *lives, struct touchpoint *touch);
uint32_t lives_tell_message(struct lives *lives, struct touchpoint *touch);

#endif
