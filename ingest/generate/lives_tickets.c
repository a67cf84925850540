/* Tickets: opened, answered, handed over, resolved, and some of them reopened. */
#include "ingest/generate/lives_private.h"

static const struct view teams[] = {WORD("frontline"), WORD("billing"), WORD("technical"), WORD("retention")};

/* NULL: everyone who came by has tickets enough. */
static struct ticket *ticket_open(struct lives *lives, const struct touchpoint *touch)
{
    uint32_t customer = 0;
    for (int tries = 0; tries < OPEN_TRIES_MAX; tries++) {
        customer = lives_anyone(lives);
        if (lives->open_of[customer] < OPEN_PER_CUSTOMER_MAX)
            break;
    }
    if (lives->open_of[customer] >= OPEN_PER_CUSTOMER_MAX && lives->ticket_count > 0)
        return NULL;
    lives->open_of[customer]++;
    struct ticket *ticket = &lives->tickets[lives->ticket_count++];
    *ticket = (struct ticket){.customer = customer,
                              .number = ++lives->numbers,
                              .matter = (uint8_t)lives_any_matter(lives),
                              .wants_handoff = random_below(&lives->random, 100) < 30,
                              .mood = (int8_t)lives_mood(lives_contentment(lives, customer, touch) - 0.3)};
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

uint32_t lives_tell_ticket(struct lives *lives, struct touchpoint *touch)
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
    out->ticket_id = lives_id(lives, 'T', ticket->number);
    if (out->action == TICKET_ACTION_AGENT_REPLIED || out->action == TICKET_ACTION_HANDED_OFF ||
        out->action == TICKET_ACTION_ASSIGNED)
        out->team = CHOOSE(teams);
    if (lives->options.mix == MIX_FULL && out->action == TICKET_ACTION_OPENED) {
        out->has_priority = true;
        out->priority = ticket->mood == MOOD_BAD ? PRIORITY_HIGH : PRIORITY_NORMAL;
    }
    if (out->action == TICKET_ACTION_AGENT_REPLIED)
        out->text = lives_reply(lives, customer);
    else if (out->action <= TICKET_ACTION_CUSTOMER_REPLIED)
        out->text = lives_words(lives, customer, (enum mood)ticket->mood, (enum matter)ticket->matter);
    if (out->action == TICKET_ACTION_CLOSED) {
        if (lives->options.mix == MIX_FULL)
            lives_ring_put(&lives->surveys, (struct matter_open){customer, ++lives->numbers, SURVEY_KIND_CSAT, ticket->number, 0}, touch->received_at_ms);
        lives->open_of[customer]--;
        *ticket = lives->tickets[--lives->ticket_count];
    }
    return customer;
}
