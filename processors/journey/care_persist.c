/* What is remembered of a customer's trouble, in a checkpoint's private bytes. */
#include "processors/journey/care.h"

#include "base/memory.h"

static struct view optional(const char *text)
{
    return view_of_text(text ? text : "");
}

static char *text_load(struct unpack *in)
{
    return care_text_copy(unpack_text(in), SIZE_MAX);
}

static void uuid_save(const struct uuid *id, struct bytes *out)
{
    bytes_append(out, id->bytes, sizeof id->bytes);
}

static void uuid_load(struct uuid *id, struct unpack *in)
{
    uint64_t words[2] = {unpack_word(in), unpack_word(in)};
    memcpy(id->bytes, words, sizeof words);
}

static void decimal_save(double value, struct bytes *out)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    pack_word(out, word);
}

static double decimal_load(struct unpack *in)
{
    uint64_t word = unpack_word(in);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static void fact_save(const struct journey_task *task, const struct case_fact *fact, struct bytes *out)
{
    pack_moment(out, &fact->moment);
    pack_word(out, fact->case_identity);
    dimensions_pack(&task->dimensions, out, fact->tuple);
    pack_signed(out, fact->score);
    pack_unsigned(out, fact->code);
    pack_unsigned(out, fact->stage);
    pack_unsigned(out, fact->rating);
    pack_unsigned(out, fact->action);
    pack_text(out, optional(fact->actor));
    pack_text(out, optional(fact->note));
}

static void fact_load(struct journey_task *task, struct case_fact *fact, struct unpack *in)
{
    fact->moment = unpack_moment(in);
    fact->case_identity = unpack_word(in);
    fact->tuple = dimensions_unpack(&task->dimensions, in);
    fact->score = (int32_t)unpack_signed(in);
    fact->code = (uint8_t)unpack_unsigned(in);
    fact->stage = (uint8_t)unpack_unsigned(in);
    fact->rating = (uint8_t)unpack_unsigned(in);
    fact->action = (uint8_t)unpack_unsigned(in);
    fact->actor = text_load(in);
    fact->note = text_load(in);
    in->has_failed |= fact->code >= FACT_CODE_COUNT || fact->rating > RATING_STARS;
}

static void published_save(const struct case_published *published, struct bytes *out)
{
    pack_word(out, published->identity);
    uuid_save(&published->id, out);
    pack_moment(out, &published->opener);
    pack_word(out, published->reasons);
    pack_signed(out, published->due_at_ms);
    pack_signed(out, published->opened_at_ms);
    pack_signed(out, published->looked_at_ms);
    pack_signed(out, published->revision);
    decimal_save(published->score, out);
    pack_text(out, optional(published->owner));
    pack_unsigned(out, published->state);
    pack_unsigned(out, published->severity);
    pack_unsigned(out, published->kind);
    pack_unsigned(out, published->is_historical);
}

static void published_load(struct case_published *published, struct unpack *in)
{
    published->identity = unpack_word(in);
    uuid_load(&published->id, in);
    published->opener = unpack_moment(in);
    published->reasons = unpack_word(in);
    published->due_at_ms = unpack_signed(in);
    published->opened_at_ms = unpack_signed(in);
    published->looked_at_ms = unpack_signed(in);
    published->revision = (int32_t)unpack_signed(in);
    published->score = decimal_load(in);
    published->owner = text_load(in);
    published->state = (uint8_t)unpack_unsigned(in);
    published->severity = (uint8_t)unpack_unsigned(in);
    published->kind = (uint8_t)unpack_unsigned(in);
    published->is_historical = unpack_unsigned(in) != 0;
    in->has_failed |= published->state >= ALERT_STATE_COUNT || published->kind >= ALERT_KIND_COUNT ||
                      published->severity >= SEVERITY_COUNT;
}

static void alert_save(const struct rule_alert *alert, struct bytes *out)
{
    pack_word(out, alert->scope);
    pack_word(out, alert->ticket);
    uuid_save(&alert->id, out);
    uuid_save(&alert->case_id, out);
    uuid_save(&alert->event, out);
    pack_signed(out, alert->opened_at_ms);
    pack_signed(out, alert->changed_at_ms);
    pack_signed(out, alert->due_at_ms);
    pack_signed(out, alert->revision);
    decimal_save(alert->score, out);
    pack_text(out, optional(alert->subject));
    pack_unsigned(out, alert->rule);
    pack_unsigned(out, alert->state);
    pack_unsigned(out, alert->severity);
    pack_unsigned(out, (unsigned)alert->has_case | (unsigned)alert->is_historical << 1);
}

static void alert_load(struct rule_alert *alert, struct unpack *in)
{
    alert->scope = unpack_word(in);
    alert->ticket = unpack_word(in);
    uuid_load(&alert->id, in);
    uuid_load(&alert->case_id, in);
    uuid_load(&alert->event, in);
    alert->opened_at_ms = unpack_signed(in);
    alert->changed_at_ms = unpack_signed(in);
    alert->due_at_ms = unpack_signed(in);
    alert->revision = (int32_t)unpack_signed(in);
    alert->score = decimal_load(in);
    alert->subject = text_load(in);
    alert->rule = (uint8_t)unpack_unsigned(in);
    alert->state = (uint8_t)unpack_unsigned(in);
    alert->severity = (uint8_t)unpack_unsigned(in);
    uint64_t flags = unpack_unsigned(in);
    alert->has_case = flags & 1;
    alert->is_historical = flags >> 1 & 1;
    in->has_failed |= alert->rule >= RULE_COUNT || alert->state >= ALERT_STATE_COUNT || alert->severity >= SEVERITY_COUNT;
}

static void pending_save(const struct pending *pending, struct bytes *out)
{
    pack_moment(out, &pending->cause);
    pack_word(out, pending->item);
    pack_signed(out, pending->due_at_ms);
    pack_signed(out, pending->expires_at_ms);
    pack_unsigned(out, pending->rule);
    pack_text(out, optional(pending->subject));
    pack_text(out, optional(pending->note));
}

static void pending_load(struct pending *pending, struct unpack *in)
{
    pending->cause = unpack_moment(in);
    pending->item = unpack_word(in);
    pending->due_at_ms = unpack_signed(in);
    pending->expires_at_ms = unpack_signed(in);
    pending->rule = (uint32_t)unpack_unsigned(in);
    pending->subject = text_load(in);
    pending->note = text_load(in);
}

void care_save(const struct journey_task *task, const struct care *care, struct bytes *out)
{
    pack_unsigned(out, care->fact_count);
    for (uint32_t i = 0; i < care->fact_count; i++)
        fact_save(task, &care->facts[i], out);
    pack_unsigned(out, care->case_count);
    for (uint32_t i = 0; i < care->case_count; i++)
        published_save(&care->cases[i], out);
    pack_unsigned(out, care->alert_count);
    for (uint32_t i = 0; i < care->alert_count; i++)
        alert_save(&care->alerts[i], out);
    pack_unsigned(out, care->pending_count);
    for (uint32_t i = 0; i < care->pending_count; i++)
        pending_save(&care->pending[i], out);
    pack_signed(out, care->sealed_at_ms);
    pack_signed(out, care->promises_from_ms);
    pack_unsigned(out, care->is_hot);
    pack_text(out, optional(care->text));
}

void care_load(struct journey_task *task, struct care *care, struct unpack *in)
{
    for (uint32_t count = unpack_count(in, 32); count > 0; count--) {
        care->facts = customer_array_grow(care->facts, care->fact_count, sizeof *care->facts);
        care->facts[care->fact_count] = (struct case_fact){0};
        fact_load(task, &care->facts[care->fact_count++], in);
    }
    for (uint32_t count = unpack_count(in, 64); count > 0; count--) {
        care->cases = customer_array_grow(care->cases, care->case_count, sizeof *care->cases);
        care->cases[care->case_count] = (struct case_published){0};
        published_load(&care->cases[care->case_count++], in);
    }
    for (uint32_t count = unpack_count(in, 64); count > 0; count--) {
        care->alerts = customer_array_grow(care->alerts, care->alert_count, sizeof *care->alerts);
        care->alerts[care->alert_count] = (struct rule_alert){0};
        alert_load(&care->alerts[care->alert_count++], in);
    }
    for (uint32_t count = unpack_count(in, 24); count > 0; count--) {
        care->pending = customer_array_grow(care->pending, care->pending_count, sizeof *care->pending);
        care->pending[care->pending_count] = (struct pending){0};
        pending_load(&care->pending[care->pending_count++], in);
    }
    care->sealed_at_ms = unpack_signed(in);
    care->promises_from_ms = unpack_signed(in);
    care->is_hot = unpack_unsigned(in) != 0;
    care->text = text_load(in);
}
