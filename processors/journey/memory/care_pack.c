/* What is remembered of a customer's trouble, as packed bytes. */
#include "base/memory.h"
#include "processors/journey/memory/customer_pack.h"

#include <stdlib.h>

static struct view optional(const char *text)
{
    return view_of_text(text ? text : "");
}

static char *text_unpack(const struct packing *packing, struct unpack *in)
{
    return care_text_copy(packing->room, unpack_text(in), SIZE_MAX);
}

static char *uuid_pack(char *at, const struct uuid *id)
{
    return packed_put_bytes(at, id->bytes, sizeof id->bytes);
}

static void uuid_unpack(struct unpack *in, struct uuid *id)
{
    struct view run = unpack_run(in, sizeof id->bytes);
    memcpy(id->bytes, run.data, run.size);
}

static char *decimal_pack(char *at, double value)
{
    return packed_put_bytes(at, &value, sizeof value);
}

static double decimal_unpack(struct unpack *in)
{
    uint64_t word = unpack_word(in);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

/* --- facts: the many of a long story --- */

enum { CODE_BITS = 5, HAS_CASE = 1 << 5, HAS_SCORE = 1 << 6, HAS_WORDS = 1 << 7, RATING_BITS = 3 };

_Static_assert((int)FACT_CODE_COUNT <= 1 << CODE_BITS && (int)RATING_STARS < 1 << RATING_BITS &&
                   CASE_ACTION_COUNT <= 1 << (8 - RATING_BITS),
               "they fit their bits");

static void fact_pack(struct packing *packing, const struct case_fact *fact)
{
    bool has_words = fact->actor || fact->note;
    char *at = packed_put_byte(packing_open(packing), fact->code | (fact->case_identity ? HAS_CASE : 0u) |
                                                          (fact->score ? HAS_SCORE : 0u) | (has_words ? HAS_WORDS : 0u));
    at = packed_put_byte(at, fact->rating | (unsigned)fact->action << RATING_BITS);
    at = packed_put_byte(at, fact->stage);
    at = pack_moment(packing, at, &fact->moment);
    pack_name(packing, NAME_TUPLE, fact->tuple);
    if (fact->case_identity)
        at = packed_put_word(at, fact->case_identity);
    if (fact->score)
        at = packed_put_signed(at, fact->score);
    if (has_words) {
        at = pack_long_text(packing, at, optional(fact->actor));
        at = pack_long_text(packing, at, optional(fact->note));
    }
    packing_close(packing, at);
}

static void fact_unpack(struct packing *packing, struct unpack *in, struct case_fact *fact)
{
    uint8_t what = unpack_byte(in), marks = unpack_byte(in);
    fact->code = what & ((1 << CODE_BITS) - 1);
    fact->rating = marks & ((1 << RATING_BITS) - 1);
    fact->action = marks >> RATING_BITS;
    fact->stage = unpack_byte(in);
    fact->moment = unpack_moment(packing, in);
    fact->tuple = unpack_name(packing, NAME_TUPLE);
    fact->case_identity = what & HAS_CASE ? unpack_word(in) : 0;
    fact->score = what & HAS_SCORE ? (int32_t)unpack_signed(in) : 0;
    fact->actor = what & HAS_WORDS ? text_unpack(packing, in) : NULL;
    fact->note = what & HAS_WORDS ? text_unpack(packing, in) : NULL;
    in->has_failed |= fact->code >= FACT_CODE_COUNT || fact->rating > RATING_STARS;
}

/* --- what was told --- */

static void published_pack(struct packing *packing, const struct case_published *published)
{
    char *at = packed_put_word(packing_open(packing), published->identity);
    at = uuid_pack(at, &published->id);
    at = pack_moment(packing, at, &published->opener);
    at = packed_put_word(at, published->reasons);
    at = pack_time(packing, at, published->due_at_ms);
    at = pack_time(packing, at, published->opened_at_ms);
    at = pack_time(packing, at, published->looked_at_ms);
    at = packed_put_signed(at, published->revision);
    at = decimal_pack(at, published->score);
    at = packed_put_byte(at, published->state);
    at = packed_put_byte(at, published->severity);
    at = packed_put_byte(at, published->kind);
    at = packed_put_byte(at, published->is_historical);
    at = pack_long_text(packing, at, optional(published->owner));
    packing_close(packing, at);
}

static void published_unpack(struct packing *packing, struct unpack *in, struct case_published *published)
{
    published->identity = unpack_word(in);
    uuid_unpack(in, &published->id);
    published->opener = unpack_moment(packing, in);
    published->reasons = unpack_word(in);
    published->due_at_ms = unpack_time(packing, in);
    published->opened_at_ms = unpack_time(packing, in);
    published->looked_at_ms = unpack_time(packing, in);
    published->revision = (int32_t)unpack_signed(in);
    published->score = decimal_unpack(in);
    published->state = unpack_byte(in);
    published->severity = unpack_byte(in);
    published->kind = unpack_byte(in);
    published->is_historical = unpack_byte(in) != 0;
    published->owner = text_unpack(packing, in);
    in->has_failed |=
        published->state >= ALERT_STATE_COUNT || published->kind >= ALERT_KIND_COUNT || published->severity >= SEVERITY_COUNT;
}

static void alert_pack(struct packing *packing, const struct rule_alert *alert)
{
    char *at = packed_put_word(packing_open(packing), alert->scope);
    at = packed_put_word(at, alert->ticket);
    at = uuid_pack(at, &alert->id);
    at = uuid_pack(at, &alert->case_id);
    at = uuid_pack(at, &alert->event);
    at = pack_time(packing, at, alert->opened_at_ms);
    at = pack_time(packing, at, alert->changed_at_ms);
    at = pack_time(packing, at, alert->due_at_ms);
    at = packed_put_signed(at, alert->revision);
    at = decimal_pack(at, alert->score);
    at = packed_put_byte(at, alert->rule);
    at = packed_put_byte(at, alert->state);
    at = packed_put_byte(at, alert->severity);
    at = packed_put_byte(at, (unsigned)alert->has_case | (unsigned)alert->is_historical << 1);
    at = pack_long_text(packing, at, optional(alert->subject));
    packing_close(packing, at);
}

static void alert_unpack(struct packing *packing, struct unpack *in, struct rule_alert *alert)
{
    alert->scope = unpack_word(in);
    alert->ticket = unpack_word(in);
    uuid_unpack(in, &alert->id);
    uuid_unpack(in, &alert->case_id);
    uuid_unpack(in, &alert->event);
    alert->opened_at_ms = unpack_time(packing, in);
    alert->changed_at_ms = unpack_time(packing, in);
    alert->due_at_ms = unpack_time(packing, in);
    alert->revision = (int32_t)unpack_signed(in);
    alert->score = decimal_unpack(in);
    alert->rule = unpack_byte(in);
    alert->state = unpack_byte(in);
    alert->severity = unpack_byte(in);
    uint8_t flags = unpack_byte(in);
    alert->has_case = flags & 1;
    alert->is_historical = flags >> 1 & 1;
    alert->subject = text_unpack(packing, in);
    in->has_failed |= alert->rule >= RULE_COUNT || alert->state >= ALERT_STATE_COUNT || alert->severity >= SEVERITY_COUNT;
}

/* --- follow-ups that wait: the one part of this that quiet customers have, too --- */

enum { HAS_MORE = 1 /* seldom: a note, an item */, SAME_SUBJECT = 2, SUBJECT_SHIFT = 2 };

static void pending_pack(struct packing *packing, const struct pending *pending, const char *texts, bool is_same_subject)
{
    unsigned has_more = pending->note_size || pending->item ? HAS_MORE : 0;
    char *at = pack_moment(packing, packing_open(packing), &pending->cause);
    at = packed_put_bytes(at, &pending->rule, sizeof pending->rule);
    at = pack_length(at, pending->due_at_ms - pending->cause.at_ms);
    at = pack_length(at, pending->expires_at_ms - pending->due_at_ms);
    at = packed_put(at, is_same_subject ? SAME_SUBJECT | has_more : (uint64_t)pending->subject_size << SUBJECT_SHIFT | has_more);
    packing_close(packing, at);
    if (!is_same_subject)
        bytes_append(&packing->body, texts, pending->subject_size);
    if (!has_more)
        return;
    pack_text(&packing->body, view_of(texts + pending->subject_size, pending->note_size));
    packing_close(packing, packed_put_word(packing_open(packing), pending->item));
}

/* An order has several that wait: its id is said once. */
static void pendings_pack(struct packing *packing, const struct care *care)
{
    struct view subject = {NULL, 0};
    const char *texts = care->pending_texts ? care->pending_texts : "";
    pack_unsigned(&packing->body, care->pending_count);
    for (uint32_t i = 0; i < care->pending_count; i++) {
        const struct pending *pending = &care->pending[i];
        struct view own = view_of(texts, pending->subject_size);
        pending_pack(packing, pending, texts, own.size && view_equal(own, subject));
        texts += pending->subject_size + pending->note_size;
        subject = own;
    }
}

/* Appends to `texts`, where the one before has its subject. */
static void pending_unpack(struct packing *packing, struct unpack *in, struct pending *pending, struct bytes *texts,
                           struct view *subject)
{
    *pending = (struct pending){.cause = unpack_moment(packing, in)};
    pending->rule = unpack_half(in);
    pending->due_at_ms = (int64_t)((uint64_t)pending->cause.at_ms + (uint64_t)unpack_length(in));
    pending->expires_at_ms = (int64_t)((uint64_t)pending->due_at_ms + (uint64_t)unpack_length(in));
    uint64_t word = unpack_unsigned(in);
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
    struct unpack in = packing->in;
    struct bytes *texts = &packing->body;
    struct view subject = view_of("", 0);
    bytes_clear(texts);
    care->pending_count = unpack_count(&in, 8);
    care->pending = room_array_bare(packing->room, care->pending_count, sizeof *care->pending);
    for (uint32_t i = 0; i < care->pending_count; i++)
        pending_unpack(packing, &in, &care->pending[i], texts, &subject);
    packing->in = in;
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
    char *at = packed_put(packing_open(packing), care->fact_count);
    at = packed_put(at, care->case_count);
    at = packed_put(at, care->alert_count);
    at = pack_time(packing, at, care->sealed_at_ms);
    at = pack_time(packing, at, care->promises_from_ms);
    packing_close(packing, at);
    for (uint32_t i = 0; i < care->fact_count; i++)
        fact_pack(packing, &care->facts[i]);
    for (uint32_t i = 0; i < care->case_count; i++)
        published_pack(packing, &care->cases[i]);
    for (uint32_t i = 0; i < care->alert_count; i++)
        alert_pack(packing, &care->alerts[i]);
}

void care_pack(struct packing *packing, const struct care *care)
{
    unsigned what = (care->is_hot ? IS_HOT : 0u) | (care->text ? HAS_TEXT : 0u) | (is_trouble(care) ? HAS_TROUBLE : 0u);
    packing_close(packing, packed_put_byte(packing_open(packing), what));
    pendings_pack(packing, care);
    if (what & HAS_TEXT)
        pack_text(&packing->body, view_of_text(care->text));
    if (what & HAS_TROUBLE)
        trouble_pack(packing, care);
}

static void trouble_unpack(struct packing *packing, struct unpack *in, struct care *care)
{
    care->fact_count = unpack_count(in, 4);
    care->case_count = unpack_count(in, 40);
    care->alert_count = unpack_count(in, 64);
    care->sealed_at_ms = unpack_time(packing, in);
    care->promises_from_ms = unpack_time(packing, in);
    care->facts = room_array_bare(packing->room, care->fact_count, sizeof *care->facts);
    for (uint32_t i = 0; i < care->fact_count; i++)
        fact_unpack(packing, in, &care->facts[i]);
    if (!in->has_failed)
        care_facts_list(care);
    care->cases = room_array_sized(packing->room, care->case_count, sizeof *care->cases);
    for (uint32_t i = 0; i < care->case_count; i++)
        published_unpack(packing, in, &care->cases[i]);
    care->alerts = room_array_sized(packing->room, care->alert_count, sizeof *care->alerts);
    for (uint32_t i = 0; i < care->alert_count; i++)
        alert_unpack(packing, in, &care->alerts[i]);
}

void care_unpack(struct packing *packing, struct care *care)
{
    uint8_t what = unpack_byte(&packing->in);
    care->is_hot = what & IS_HOT;
    pendings_unpack(packing, care);
    struct unpack in = packing->in;
    if (what & HAS_TEXT)
        care->text = text_unpack(packing, &in);
    if (what & HAS_TROUBLE)
        trouble_unpack(packing, &in, care);
    packing->in = in;
}
