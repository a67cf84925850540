#include "schemas/touchpoint_rules.h"

#include "base/time_text.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* What is checked, and where a broken rule is noted; the first one stands. */
struct check {
    struct arena *arena;
    struct json_fault *fault;
    bool is_broken;
};

static void broken(struct check *check, const char *code, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void broken(struct check *check, const char *code, const char *path, const char *format, ...)
{
    if (check->is_broken)
        return;
    char reason[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    check->is_broken = true;
    *check->fault = (struct json_fault){.code = code,
                                        .path = arena_copy(check->arena, view_of_text(path)),
                                        .reason = arena_copy(check->arena, view_of_text(reason))};
}

static void size_within(struct check *check, const char *path, struct view value, size_t bytes_max)
{
    if (value.size > bytes_max)
        broken(check, "too_large", path, "%zu bytes; at most %zu are taken", value.size, bytes_max);
    else if (!utf8_is_valid(value))
        broken(check, "bad_utf8", path, "the text is not valid UTF-8");
}

/* A required id: what is kept together by it must not be everything that has none. */
static void id_given(struct check *check, const char *path, struct view id)
{
    if (id.size == 0)
        broken(check, "empty", path, "an id cannot be empty");
    size_within(check, path, id, ID_BYTES_MAX);
}

/* By this one a person is asked for, and forgotten: neither an argument of a command nor a path of HTTP can have a NUL. */
static void customer_given(struct check *check, const char *path, struct view id)
{
    id_given(check, path, id);
    if (id.size && memchr(id.data, '\0', id.size))
        broken(check, "out_of_range", path, "a customer's id cannot have a NUL in it");
}

static void name_short(struct check *check, const char *path, struct view name)
{
    size_within(check, path, name, NAME_BYTES_MAX);
}

static void text_short(struct check *check, const char *path, struct view text)
{
    size_within(check, path, text, TEXT_BYTES_MAX);
}

static void number_within(struct check *check, const char *path, int64_t value, int64_t least, int64_t most)
{
    if (value < least || value > most)
        broken(check, "out_of_range", path, "%" PRId64 " is not within %" PRId64 " and %" PRId64, value, least, most);
}

static void not_negative(struct check *check, const char *path, int64_t value)
{
    if (value < 0)
        broken(check, "out_of_range", path, "%" PRId64 " is negative", value);
}

static void amount_within(struct check *check, int64_t amount_minor)
{
    number_within(check, "data.amount_minor", amount_minor, -AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX);
}

static void currency_shaped(struct check *check, const char *path, struct view currency)
{
    if (currency.data == NULL)
        return;
    bool is_shaped = currency.size == 3;
    for (size_t i = 0; is_shaped && i < 3; i++)
        is_shaped = currency.data[i] >= 'A' && currency.data[i] <= 'Z';
    if (!is_shaped)
        broken(check, "out_of_range", path, "a currency is three capital letters (ISO 4217), such as EUR");
}

static void score_within(struct check *check, enum survey_kind kind, int32_t score)
{
    static const struct {
        int least, most;
    } ranges[SURVEY_KIND_COUNT] = {
        [SURVEY_KIND_NPS] = {0, 10},
        [SURVEY_KIND_CSAT] = {1, 5},
        [SURVEY_KIND_CES] = {1, 7},
        [SURVEY_KIND_BRAND] = {0, 10},
    };
    if (score < ranges[kind].least || score > ranges[kind].most)
        broken(check, "out_of_range", "data.score", "%d is no %s score; those go from %d to %d", score,
               survey_kind_name(kind), ranges[kind].least, ranges[kind].most);
}

static void check_ticket(struct check *check, const struct ticket_changed *ticket)
{
    id_given(check, "data.ticket_id", ticket->ticket_id);
    name_short(check, "data.team", ticket->team);
    name_short(check, "data.agent", ticket->agent);
    text_short(check, "data.text", ticket->text);
}

static void check_answer(struct check *check, const struct survey_answered *answer)
{
    id_given(check, "data.survey_id", answer->survey_id);
    score_within(check, answer->kind, answer->score);
    text_short(check, "data.comment", answer->comment);
    size_within(check, "data.about", answer->about, ID_BYTES_MAX);
}

/* Orders, deliveries, returns, use: what is bought and what becomes of it. */
static bool check_commerce(struct check *check, const struct touchpoint *touch)
{
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_ORDER_PLACED:
        id_given(check, "data.order_id", touch->body.order_placed.order_id);
        amount_within(check, touch->body.order_placed.amount_minor);
        currency_shaped(check, "data.currency", touch->body.order_placed.currency);
        return true;
    case TOUCHPOINT_BODY_ORDER_DELIVERED:
        id_given(check, "data.order_id", touch->body.order_delivered.order_id);
        return true;
    case TOUCHPOINT_BODY_PRODUCT_RETURNED:
        id_given(check, "data.order_id", touch->body.product_returned.order_id);
        text_short(check, "data.reason", touch->body.product_returned.reason);
        return true;
    case TOUCHPOINT_BODY_PRODUCT_USED:
        name_short(check, "data.feature", touch->body.product_used.feature);
        not_negative(check, "data.seconds", touch->body.product_used.seconds);
        return true;
    case TOUCHPOINT_BODY_DEVICE_REPORTED:
        id_given(check, "data.device_id", touch->body.device_reported.device_id);
        name_short(check, "data.code", touch->body.device_reported.code);
        return true;
    case TOUCHPOINT_BODY_SERVICE_VISITED:
        id_given(check, "data.visit_id", touch->body.service_visited.visit_id);
        size_within(check, "data.ticket_id", touch->body.service_visited.ticket_id, ID_BYTES_MAX);
        return true;
    case TOUCHPOINT_BODY_SUBSCRIPTION_CHANGED:
        id_given(check, "data.subscription_id", touch->body.subscription_changed.subscription_id);
        if (touch->body.subscription_changed.has_amount_minor)
            amount_within(check, touch->body.subscription_changed.amount_minor);
        currency_shaped(check, "data.currency", touch->body.subscription_changed.currency);
        return true;
    case TOUCHPOINT_BODY_REFERRAL_MADE:
        customer_given(check, "data.referred_customer_id", touch->body.referral_made.referred_customer_id);
        return true;
    default:
        return false;
    }
}

/* What is said, asked and answered. */
static void check_voice(struct check *check, const struct touchpoint *touch)
{
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_MESSAGE_ENGAGED:
        name_short(check, "data.campaign", touch->body.message_engaged.campaign);
        break;
    case TOUCHPOINT_BODY_SURVEY_SENT:
        id_given(check, "data.survey_id", touch->body.survey_sent.survey_id);
        size_within(check, "data.about", touch->body.survey_sent.about, ID_BYTES_MAX);
        break;
    case TOUCHPOINT_BODY_SURVEY_ANSWERED:
        check_answer(check, &touch->body.survey_answered);
        break;
    case TOUCHPOINT_BODY_TICKET_CHANGED:
        check_ticket(check, &touch->body.ticket_changed);
        break;
    case TOUCHPOINT_BODY_REVIEW_POSTED:
        number_within(check, "data.stars", touch->body.review_posted.stars, 1, 5);
        text_short(check, "data.text", touch->body.review_posted.text);
        break;
    case TOUCHPOINT_BODY_SOCIAL_MENTION:
        name_short(check, "data.network", touch->body.social_mention.network);
        not_negative(check, "data.reach", touch->body.social_mention.reach);
        text_short(check, "data.text", touch->body.social_mention.text);
        break;
    case TOUCHPOINT_BODY_INTERVIEW_HELD:
        name_short(check, "data.interviewer", touch->body.interview_held.interviewer);
        text_short(check, "data.text", touch->body.interview_held.text);
        break;
    case TOUCHPOINT_BODY_CASE_ACTED:
        id_given(check, "data.case_id", touch->body.case_acted.case_id);
        name_short(check, "data.actor", touch->body.case_acted.actor);
        text_short(check, "data.note", touch->body.case_acted.note);
        break;
    default:
        break; /* LoyaltyChanged, CustomerForgotten: nothing that could be out of bounds */
    }
}

static void check_attributes(struct check *check, const struct touchpoint *touch)
{
    for (size_t i = 0; i < touch->attributes.count; i++) {
        const struct attribute *attribute = &touch->attributes.items[i];
        if (!utf8_is_valid(attribute->key) || !utf8_is_valid(attribute->value))
            broken(check, "bad_utf8", "attributes", "the text is not valid UTF-8");
        if (attribute->key.size > NAME_BYTES_MAX || attribute->value.size > TEXT_BYTES_MAX)
            broken(check, "too_large", "attributes", "the attribute %.*s… is too large", 40,
                   arena_text(check->arena, view_of(attribute->key.data, attribute->key.size < 40 ? attribute->key.size : 40)));
    }
}

bool check_touchpoint(const struct touchpoint *touch, struct arena *arena, struct json_fault *fault)
{
    struct check check = {.arena = arena, .fault = fault};
    customer_given(&check, "customer_id", touch->customer_id);
    id_given(&check, "source", touch->source);
    name_short(&check, "product", touch->product);
    name_short(&check, "segment", touch->segment);
    name_short(&check, "region", touch->region);
    check_attributes(&check, touch);
    if (!check_commerce(&check, touch))
        check_voice(&check, touch);
    return !check.is_broken;
}

static bool time_plausible(const char *path, int64_t at_ms, int64_t now_ms, struct arena *arena, struct json_fault *fault)
{
    struct check check = {.arena = arena, .fault = fault};
    char told[TIME_TEXT_SIZE], now[TIME_TEXT_SIZE];
    if (at_ms > now_ms + FUTURE_MS_MAX) {
        time_text_format(told, at_ms);
        time_text_format(now, now_ms);
        broken(&check, "future", path, "%s lies ahead of our clock (%s) by more than 5 minutes", told, now);
    } else if (at_ms < OLDEST_AT_MS) {
        time_text_format(told, at_ms);
        broken(&check, "too_old", path, "%s is before 2000-01-01", told);
    }
    return !check.is_broken;
}

bool check_time(const struct touchpoint *touch, int64_t now_ms, struct arena *arena, struct json_fault *fault)
{
    return time_plausible("occurred_at", touch->occurred_at_ms, now_ms, arena, fault);
}

bool check_record(const struct touchpoint *touch, int64_t timestamp_ms, struct arena *arena, struct json_fault *fault)
{
    return check_touchpoint(touch, arena, fault) && check_time(touch, timestamp_ms, arena, fault) &&
           time_plausible("received_at", touch->received_at_ms, timestamp_ms, arena, fault);
}
