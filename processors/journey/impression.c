#include "processors/journey/impression.h"

#include "processors/journey/reading.h"

#include <math.h>

/* Comment, ticket text, review, mention, interview; null when there is none or it is empty. */
static struct view text_of(const struct touchpoint *touch)
{
    struct view text = {NULL, 0};
    switch (touch->body_kind) {
    case TOUCHPOINT_BODY_SURVEY_ANSWERED: text = touch->body.survey_answered.comment; break;
    case TOUCHPOINT_BODY_TICKET_CHANGED: text = touch->body.ticket_changed.text; break;
    case TOUCHPOINT_BODY_REVIEW_POSTED: text = touch->body.review_posted.text; break;
    case TOUCHPOINT_BODY_SOCIAL_MENTION: text = touch->body.social_mention.text; break;
    case TOUCHPOINT_BODY_INTERVIEW_HELD: text = touch->body.interview_held.text; break;
    default: break;
    }
    return text.size ? text : (struct view){NULL, 0};
}

void impression_read(struct impression *impression, const struct touchpoint *touch, struct libraries *libraries)
{
    *impression = (struct impression){.text = text_of(touch)};
    if (impression->text.size == 0)
        return;
    reading_of_text(impression, libraries);
    impression->has_sentiment = true;
    impression->scaled = (int32_t)llround(impression->sentiment.score * KPI_SENTIMENT_SCALE);
}

void impression_contribute(const struct impression *impression, uint32_t tuple, uint8_t stage, int64_t at_ms, struct tally *tally)
{
    if (!impression->has_sentiment)
        return;
    tally_add_mean(tally, place_at(KPI_SENTIMENT, tuple, stage, at_ms), impression->scaled);
    tally_add_rate(tally, place_at(KPI_NEGATIVE_SHARE, tuple, stage, at_ms),
                   impression->sentiment.label == SENTIMENT_LABEL_NEGATIVE, false);
}
