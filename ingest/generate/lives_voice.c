/* What customers are asked and say: surveys, answers, reviews, mentions, interviews, and what becomes of messages. */
#include "ingest/generate/lives_private.h"

#include "base/clock.h"

static const struct view networks[] = {WORD("x"), WORD("mastodon"), WORD("facebook")};
static const struct view campaigns[] = {WORD("welcome"), WORD("spring"), WORD("check-in"), WORD("thanks"), WORD("winback")};
static const struct view interviewers[] = {WORD("ana"), WORD("ben"), WORD("chloe"), WORD("dmitri"), WORD("eve")};

uint32_t lives_tell_survey(struct lives *lives, struct touchpoint *touch)
{
    uint32_t kinds = lives->options.mix == MIX_PEERS ? 3 : SURVEY_KIND_COUNT;
    struct matter_open survey = {lives_anyone(lives), ++lives->numbers, (uint8_t)random_below(&lives->random, kinds), 0, 0};
    touch->body.survey_sent =
        (struct survey_sent){.survey_id = lives_id(lives, 'S', survey.number), .kind = (enum survey_kind)survey.kind};
    lives_ring_put(&lives->surveys, survey, touch->received_at_ms);
    return survey.customer;
}

static int answer_score(enum survey_kind kind, double content)
{
    switch (kind) {
    case SURVEY_KIND_CSAT:
        return lives_score(content, 3.6, 1.6, 1, 5);
    case SURVEY_KIND_CES:
        return lives_score(content, 4.9, 2.2, 1, 7);
    default:
        return lives_score(content, 7.2, 3.6, 0, 10);
    }
}

uint32_t lives_tell_answer(struct lives *lives, struct touchpoint *touch)
{
    struct matter_open survey;
    if (!lives_ring_take(&lives->surveys, touch->received_at_ms, DAYS(2), &survey))
        survey = (struct matter_open){lives_anyone(lives), ++lives->numbers, (uint8_t)random_below(&lives->random, 3), 0, 0};
    double content = lives_contentment(lives, survey.customer, touch);
    struct survey_answered *out = &touch->body.survey_answered;
    out->survey_id = lives_id(lives, 'S', survey.number);
    out->kind = (enum survey_kind)survey.kind;
    out->score = answer_score(out->kind, content);
    if (survey.about)
        out->about = lives_id_write(lives->about, 'T', survey.about, 8);
    if (random_below(&lives->random, 2))
        out->comment = lives_words(lives, survey.customer, lives_mood(content), lives_any_matter(lives));
    return survey.customer;
}

uint32_t lives_tell_review(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = lives_anyone(lives);
    double content = lives_contentment(lives, customer, touch);
    bool is_bad_day = story_is_bad_day(&lives->story, touch->product);
    enum matter matter = is_bad_day ? MATTER_DELIVERY : lives_any_matter(lives);
    touch->body.review_posted =
        (struct review_posted){lives_score(content, 3.6, 1.7, 1, 5), lives_words(lives, customer, lives_mood(content), matter)};
    return customer;
}

uint32_t lives_tell_mention(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = lives_anyone(lives);
    enum mood mood = lives_mood(lives_contentment(lives, customer, touch));
    touch->body.social_mention = (struct social_mention){CHOOSE(networks), (int32_t)random_below(&lives->random, 100000),
                                                         lives_words(lives, customer, mood, lives_any_matter(lives))};
    return customer;
}

uint32_t lives_tell_interview(struct lives *lives, struct touchpoint *touch)
{
    uint32_t customer = lives_anyone(lives);
    enum mood mood = lives_mood(lives_contentment(lives, customer, touch));
    touch->body.interview_held = (struct interview_held){CHOOSE(interviewers), lives_words(lives, customer, mood, lives_any_matter(lives))};
    return customer;
}

uint32_t lives_tell_message(struct lives *lives, struct touchpoint *touch)
{
    struct matter_open message;
    bool goes_on = random_below(&lives->random, 3) && lives_ring_take(&lives->campaigns, touch->received_at_ms, DAYS(2), &message);
    if (!goes_on)
        message = (struct matter_open){.customer = lives_anyone(lives), .number = ++lives->numbers, .kind = ENGAGEMENT_SENT};
    touch->body.message_engaged = (struct message_engaged){.campaign = campaigns[message.number % 5],
                                                           .kind = (enum message_kind)(message.number % MESSAGE_KIND_COUNT),
                                                           .action = (enum engagement)message.kind};
    static const uint8_t goes_on_in_100[] = {[ENGAGEMENT_SENT] = 97, [ENGAGEMENT_DELIVERED] = 45, [ENGAGEMENT_OPENED] = 25};
    if (message.kind <= ENGAGEMENT_OPENED && random_below(&lives->random, 100) < goes_on_in_100[message.kind]) {
        message.kind++;
        lives_ring_put(&lives->campaigns, message, touch->received_at_ms);
    }
    return message.customer;
}
