#include "processors/journey/care/pending.h"

#include "base/utf8.h"

/* Where the texts of a pending one begin. */
static uint32_t texts_before(const struct care *care, uint32_t number)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < number; i++)
        at += care->pending[i].subject_size + care->pending[i].note_size;
    return at;
}

static void texts_add(struct room *room, struct care *care, struct view text)
{
    if (text.size == 0)
        return;
    care->pending_texts = room_resize(room, care->pending_texts, care->pending_texts_size, care->pending_texts_size + text.size);
    memcpy(care->pending_texts + care->pending_texts_size, text.data, text.size);
    care->pending_texts_size += (uint32_t)text.size;
}

void pending_add(struct turn *turn, struct pending pending, struct view subject, struct view note)
{
    struct care *care = customer_care(turn->customer);
    struct room *room = &turn->customer->room;
    if (care->pending_count >= turn->settings->followups_max)
        pending_remove(room, care, 0);
    if (pending.due_at_ms < care->pending_rests_ms)
        care->pending_rests_ms = pending.due_at_ms;
    struct view kept = utf8_prefix(subject, CARE_TEXT_MAX), words = utf8_prefix(note, CARE_TEXT_MAX);
    pending.subject_size = (uint16_t)kept.size;
    pending.note_size = (uint16_t)words.size;
    pending.item = kept.size < subject.size ? identity_of(subject) : 0;
    care->pending = room_array_grow(room, care->pending, care->pending_count, sizeof *care->pending);
    care->pending[care->pending_count++] = pending;
    texts_add(room, care, kept);
    texts_add(room, care, words);
}

void pending_remove(struct room *room, struct care *care, uint32_t number)
{
    care->pending_rests_ms = INT64_MIN;
    uint32_t at = texts_before(care, number), size = care->pending[number].subject_size + care->pending[number].note_size;
    if (size) {
        care->pending_texts_size -= size;
        memmove(care->pending_texts + at, care->pending_texts + at + size, care->pending_texts_size - at);
    }
    memmove(care->pending + number, care->pending + number + 1, (care->pending_count - number - 1) * sizeof *care->pending);
    care->pending = room_array_shrink(room, care->pending, --care->pending_count, sizeof *care->pending);
}

uint32_t pending_find(const struct care *care, uint32_t rule, struct view subject)
{
    const char *texts = care->pending_texts ? care->pending_texts : "";
    uint32_t number = 0;
    for (; number < care->pending_count; number++) {
        const struct pending *pending = &care->pending[number];
        if (pending->rule == rule && (subject.data == NULL || view_equal(subject, view_of(texts, pending->subject_size))))
            break;
        texts += pending->subject_size + pending->note_size;
    }
    return number;
}
