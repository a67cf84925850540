/* What is remembered of a customer's trouble, as packed bytes. */
#include "base/memory.h"
#include "processors/journey/memory/customer_pack.h"

#include <stdlib.h>

static struct view optional(const char *text)
{
    return view_of_text(text ? text : "");
}

static char *text_unpack(struct packing *packing)
{
    return care_text_copy(packing->room, unpack_text(&packing->in), SIZE_MAX);
}

static void uuid_pack(struct packing *packing, const struct uuid *id)
{
    bytes_append(&packing->body, id->bytes, sizeof id->bytes);
}

static void uuid_unpack(struct packing *packing, struct uuid *id)
{
    uint64_t words[2];
    words[0] = unpack_word(&packing->in);
    words[1] = unpack_word(&packing->in);
    memcpy(id->bytes, words, sizeof words);
}

static void decimal_pack(struct packing *packing, double value)
{
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    pack_word(&packing->body, word);
}

static double decimal_unpack(struct packing *packing)
{
    uint64_t word = unpack_word(&packing->in);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

/* --- facts --- */

static void fact_pack(struct packing *packing, const struct case_fact *fact)
{
    pack_moment(packing, &fact->moment);
    pack_number(packing, fact->case_identity != 0);
    if (fact->case_identity)
        pack_word(&packing->body, fact->case_identity);
    pack_name(packing, NAME_TUPLE, fact->tuple);
    pack_signed(&packing->body, fact->score);
    pack_number(packing, fact->code);
    pack_number(packing, fact->stage);
    pack_number(packing, fact->rating);
    pack_number(packing, fact->action);
    pack_text(&packing->body, optional(fact->actor));
    pack_text(&packing->body, optional(fact->note));
}

static void fact_unpack(struct packing *packing, struct case_fact *fact)
{
    fact->moment = unpack_moment(packing);
    fact->case_identity = unpack_number(packing) ? unpack_word(&packing->in) : 0;
    fact->tuple = unpack_name(packing, NAME_TUPLE);
    fact->score = (int32_t)unpack_signed(&packing->in);
    fact->code = (uint8_t)unpack_number(packing);
    fact->stage = (uint8_t)unpack_number(packing);
    fact->rating = (uint8_t)unpack_number(packing);
    fact->action = (uint8_t)unpack_number(packing);
    fact->actor = text_unpack(packing);
    fact->note = text_unpack(packing);
    packing->in.has_failed |= fact->code >= FACT_CODE_COUNT || fact->rating > RATING_STARS;
}

/* --- what was told --- */

static void published_pack(struct packing *packing, const struct case_published *published)
{
    pack_word(&packing->body, published->identity);
    uuid_pack(packing, &published->id);
    pack_moment(packing, &published->opener);
    pack_word(&packing->body, published->reasons);
    pack_time(packing, published->due_at_ms);
    pack_time(packing, published->opened_at_ms);
    pack_time(packing, published->looked_at_ms);
    pack_signed(&packing->body, published->revision);
    decimal_pack(packing, published->score);
    pack_text(&packing->body, optional(published->owner));
    pack_number(packing, published->state);
    pack_number(packing, published->severity);
    pack_number(packing, published->kind);
    pack_number(packing, published->is_historical);
}

static void published_unpack(struct packing *packing, struct case_published *published)
{
    published->identity = unpack_word(&packing->in);
    uuid_unpack(packing, &published->id);
    published->opener = unpack_moment(packing);
    published->reasons = unpack_word(&packing->in);
    published->due_at_ms = unpack_time(packing);
    published->opened_at_ms = unpack_time(packing);
    published->looked_at_ms = unpack_time(packing);
    published->revision = (int32_t)unpack_signed(&packing->in);
    published->score = decimal_unpack(packing);
    published->owner = text_unpack(packing);
    published->state = (uint8_t)unpack_number(packing);
    published->severity = (uint8_t)unpack_number(packing);
    published->kind = (uint8_t)unpack_number(packing);
    published->is_historical = unpack_number(packing) != 0;
    packing->in.has_failed |= published->state >= ALERT_STATE_COUNT || published->kind >= ALERT_KIND_COUNT ||
                              published->severity >= SEVERITY_COUNT;
}

static void alert_pack(struct packing *packing, const struct rule_alert *alert)
{
    pack_word(&packing->body, alert->scope);
    pack_word(&packing->body, alert->ticket);
    uuid_pack(packing, &alert->id);
    uuid_pack(packing, &alert->case_id);
    uuid_pack(packing, &alert->event);
    pack_time(packing, alert->opened_at_ms);
    pack_time(packing, alert->changed_at_ms);
    pack_time(packing, alert->due_at_ms);
    pack_signed(&packing->body, alert->revision);
    decimal_pack(packing, alert->score);
    pack_text(&packing->body, optional(alert->subject));
    pack_number(packing, alert->rule);
    pack_number(packing, alert->state);
    pack_number(packing, alert->severity);
    pack_number(packing, (unsigned)alert->has_case | (unsigned)alert->is_historical << 1);
}

static void alert_unpack(struct packing *packing, struct rule_alert *alert)
{
    alert->scope = unpack_word(&packing->in);
    alert->ticket = unpack_word(&packing->in);
    uuid_unpack(packing, &alert->id);
    uuid_unpack(packing, &alert->case_id);
    uuid_unpack(packing, &alert->event);
    alert->opened_at_ms = unpack_time(packing);
    alert->changed_at_ms = unpack_time(packing);
    alert->due_at_ms = unpack_time(packing);
    alert->revision = (int32_t)unpack_signed(&packing->in);
    alert->score = decimal_unpack(packing);
    alert->subject = text_unpack(packing);
    alert->rule = (uint8_t)unpack_number(packing);
    alert->state = (uint8_t)unpack_number(packing);
    alert->severity = (uint8_t)unpack_number(packing);
    uint64_t flags = unpack_number(packing);
    alert->has_case = flags & 1;
    alert->is_historical = flags >> 1 & 1;
    packing->in.has_failed |=
        alert->rule >= RULE_COUNT || alert->state >= ALERT_STATE_COUNT || alert->severity >= SEVERITY_COUNT;
}

/* --- follow-ups that wait: the one part of this that quiet customers have, too --- */

enum { HAS_MORE = 1 /* seldom: a note, an item */, SAME_SUBJECT = 2, SUBJECT_SHIFT = 2 };

static void pending_pack(struct packing *packing, const struct pending *pending, struct view texts, bool is_same_subject)
{
    bool has_more = pending->note_size || pending->item;
    pack_moment(packing, &pending->cause);
    bytes_append(&packing->body, &pending->rule, sizeof pending->rule);
    pack_length(packing, pending->due_at_ms - pending->cause.at_ms);
    pack_length(packing, pending->expires_at_ms - pending->due_at_ms);
    if (is_same_subject) {
        pack_number(packing, SAME_SUBJECT | (has_more ? HAS_MORE : 0u));
    } else {
        pack_number(packing, (uint64_t)pending->subject_size << SUBJECT_SHIFT | (has_more ? HAS_MORE : 0u));
        bytes_append(&packing->body, texts.data, pending->subject_size);
    }
    if (!has_more)
        return;
    pack_text(&packing->body, view_of(texts.data + pending->subject_size, pending->note_size));
    pack_word(&packing->body, pending->item);
}

/* An order has several that wait: its id is said once. */
static void pendings_pack(struct packing *packing, const struct care *care)
{
    struct view subject = {NULL, 0};
    const char *texts = care->pending_texts ? care->pending_texts : "";
    pack_number(packing, care->pending_count);
    for (uint32_t i = 0; i < care->pending_count; i++) {
        const struct pending *pending = &care->pending[i];
        struct view own = view_of(texts, pending->subject_size);
        pending_pack(packing, pending, view_of(texts, pending->subject_size + pending->note_size), own.size && view_equal(own, subject));
        texts += pending->subject_size + pending->note_size;
        subject = own;
    }
}

/* Appends to `texts`, where the one before stands `subject_at`. */
static void pending_unpack(struct packing *packing, struct pending *pending, struct bytes *texts, struct view *subject)
{
    struct unpack *in = &packing->in;
    pending->cause = unpack_moment(packing);
    pending->rule = unpack_half(in);
    pending->due_at_ms = (int64_t)((uint64_t)pending->cause.at_ms + (uint64_t)unpack_length(packing));
    pending->expires_at_ms = (int64_t)((uint64_t)pending->due_at_ms + (uint64_t)unpack_length(packing));
    uint64_t word = unpack_number(packing);
    if (!(word & SAME_SUBJECT))
        *subject = unpack_run(in, word >> SUBJECT_SHIFT);
    pending->subject_size = (uint16_t)subject->size;
    bytes_append_view(texts, *subject);
    if (!(word & HAS_MORE))
        return;
    struct view note = unpack_text(in);
    pending->note_size = (uint16_t)note.size;
    bytes_append_view(texts, note);
    pending->item = unpack_word(in);
}

/* The texts of all in one piece, collected where packing has its body. */
static void pendings_unpack(struct packing *packing, struct care *care)
{
    struct bytes *texts = &packing->body;
    struct view subject = view_of("", 0);
    bytes_clear(texts);
    care->pending_count = unpack_count(&packing->in, 8);
    care->pending = room_array_sized(packing->room, care->pending_count, sizeof *care->pending);
    for (uint32_t i = 0; i < care->pending_count; i++)
        pending_unpack(packing, &care->pending[i], texts, &subject);
    if (texts->size == 0)
        return;
    care->pending_texts = room_take(packing->room, texts->size);
    care->pending_texts_size = (uint32_t)texts->size;
    memcpy(care->pending_texts, texts->data, texts->size);
}

/* --- all together --- */

enum { IS_HOT = 1, HAS_TEXT = 2, HAS_TROUBLE = 4 /* anything but waiting follow-ups */ };

static bool is_trouble(const struct care *care)
{
    return care->fact_count || care->case_count || care->alert_count || care->sealed_at_ms != INT64_MIN ||
           care->promises_from_ms != INT64_MIN;
}

static void trouble_pack(struct packing *packing, const struct care *care)
{
    pack_number(packing, care->fact_count);
    for (uint32_t i = 0; i < care->fact_count; i++)
        fact_pack(packing, &care->facts[i]);
    pack_number(packing, care->case_count);
    for (uint32_t i = 0; i < care->case_count; i++)
        published_pack(packing, &care->cases[i]);
    pack_number(packing, care->alert_count);
    for (uint32_t i = 0; i < care->alert_count; i++)
        alert_pack(packing, &care->alerts[i]);
    pack_time(packing, care->sealed_at_ms);
    pack_time(packing, care->promises_from_ms);
}

void care_pack(struct packing *packing, const struct care *care)
{
    pack_number(packing, (care->is_hot ? IS_HOT : 0u) | (care->text ? HAS_TEXT : 0u) | (is_trouble(care) ? HAS_TROUBLE : 0u));
    pendings_pack(packing, care);
    if (care->text)
        pack_text(&packing->body, view_of_text(care->text));
    if (is_trouble(care))
        trouble_pack(packing, care);
}

static void trouble_unpack(struct packing *packing, struct care *care)
{
    care->fact_count = unpack_count(&packing->in, 9);
    care->facts = room_array_sized(packing->room, care->fact_count, sizeof *care->facts);
    for (uint32_t i = 0; i < care->fact_count; i++)
        fact_unpack(packing, &care->facts[i]);
    if (!packing->in.has_failed)
        care_facts_list(care);
    care->case_count = unpack_count(&packing->in, 40);
    care->cases = room_array_sized(packing->room, care->case_count, sizeof *care->cases);
    for (uint32_t i = 0; i < care->case_count; i++)
        published_unpack(packing, &care->cases[i]);
    care->alert_count = unpack_count(&packing->in, 64);
    care->alerts = room_array_sized(packing->room, care->alert_count, sizeof *care->alerts);
    for (uint32_t i = 0; i < care->alert_count; i++)
        alert_unpack(packing, &care->alerts[i]);
    care->sealed_at_ms = unpack_time(packing);
    care->promises_from_ms = unpack_time(packing);
}

void care_unpack(struct packing *packing, struct care *care)
{
    uint64_t what = unpack_number(packing);
    care->is_hot = what & IS_HOT;
    pendings_unpack(packing, care);
    if (what & HAS_TEXT)
        care->text = text_unpack(packing);
    if (what & HAS_TROUBLE)
        trouble_unpack(packing, care);
}
