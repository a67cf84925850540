#include "processors/journey/matters/visits.h"

#include "base/clock.h"

void visits_apply(struct customer *customer, const struct service_visited *visited, const struct moment *moment,
                  uint32_t tuple)
{
    if (visited->kind != VISIT_KIND_REPAIR)
        return;
    struct seldom *seldom = customer_seldom(customer);
    seldom->visits = room_array_grow(&customer->room, seldom->visits, seldom->visit_count, sizeof *seldom->visits);
    uint32_t place = seldom->visit_count++;
    while (place > 0 && moment_is_before(moment, &seldom->visits[place - 1].moment)) {
        seldom->visits[place] = seldom->visits[place - 1];
        place--;
    }
    seldom->visits[place] = (struct visit){.moment = *moment,
                                           .visit = identity_of(visited->visit_id),
                                           .ticket = visited->ticket_id.size ? identity_of(visited->ticket_id) : 0,
                                           .tuple = tuple,
                                           .is_fixed = visited->fixed,
                                           .next_at_ms = NEVER_MS};
    customer->history_count++;
}

void visits_set_stage(struct customer *customer, const struct moment *moment, uint8_t stage)
{
    struct seldom *seldom = customer->seldom;
    for (uint32_t i = seldom ? seldom->visit_count : 0; i > 0; i--) {
        if (moment_compare(&seldom->visits[i - 1].moment, moment) == 0)
            seldom->visits[i - 1].stage = stage;
    }
}

void visit_contribute(const struct seldom *seldom, uint32_t number, struct tally *tally)
{
    const struct visit *visit = &seldom->visits[number];
    int64_t limit_ms = visit->moment.at_ms + DAYS(30);
    bool is_spoiled = false;
    for (uint32_t i = number + 1; visit->ticket && i < seldom->visit_count && !is_spoiled; i++) {
        const struct visit *later = &seldom->visits[i];
        is_spoiled = later->ticket == visit->ticket && later->visit != visit->visit && later->moment.at_ms <= limit_ms;
    }
    bool is_hit = visit->is_fixed && !is_spoiled;
    bool is_undecided = is_hit && visit->ticket && !tally_is_due(tally, limit_ms + 1);
    tally_add_rate(tally, place_at(KPI_FIRST_TIME_FIX, visit->tuple, visit->stage, visit->moment.at_ms), is_hit, is_undecided);
}
