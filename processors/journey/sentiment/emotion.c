#include "processors/journey/sentiment/emotion.h"

const struct dictionary_list cue_lists[] = {
    {CUE_CONFUSED,
     "confus* don't_understand dont_understand do_not_understand not_sure unclear makes_no_sense no_idea how_do_i how_can_i how_am_i what_does "
     "can't_figure cant_figure can't_find puzzled lost_here verwirr* verstehe_nicht nicht_verstanden unklar* weiß_nicht blicke_nicht wie_kann_ich "
     "comprends_pas comprends_rien pas_clair pas_compris perdu_dans comment_faire comment_puis non_capisco non_ho_capito poco_chiaro come_faccio "
     "não_entend* nao_entend* não_sei_como como_faço confundid* no_entiendo no_entend* cómo_puedo no_me_queda_claro"},
    {CUE_EXCITED,
     "amazing awesome wow woohoo yay excit* thrilled fantastic incredible best_ever love_love omg can't_wait cant_wait so_happy obsessed stoked "
     "wahnsinn hammer genial* begeister* fantastisch* unglaublich_gut freue_mich_so mega_gut génial* incroyable* j_adore trop_bien trop_contente hâte formidable* "
     "fantastic* stupend* non_vedo_l_ora evviva meraviglios* incrível maravilh* amei sensacional ansiosa_para ansioso_para increíble* "
     "me_encanta maravill* emocionad* espectacular*"},
};

const size_t cue_list_count = sizeof cue_lists / sizeof *cue_lists;

/* Two question marks in one text ask louder than the words around them. */
static bool asks_twice(struct view text)
{
    const char *first = text.size ? memchr(text.data, '?', text.size) : NULL;
    return first && memchr(first + 1, '?', (size_t)(text.data + text.size - first - 1)) != NULL;
}

enum mood mood_of(const struct sentiment *sentiment, unsigned cues, struct view text)
{
    bool forceful = text.size > 0 && memchr(text.data, '!', text.size) != NULL;
    if (sentiment->label == SENTIMENT_POSITIVE)
        return sentiment->score >= 0.6 && (cues & 1u << CUE_EXCITED || (forceful && sentiment->score >= 0.8)) ? MOOD_EXCITED
                                                                                                          : MOOD_SATISFIED;
    bool clearly_bad = sentiment->score <= -0.85;
    if (cues & 1u << CUE_CONFUSED || (asks_twice(text) && !clearly_bad))
        return MOOD_CONFUSED;
    return sentiment->label == SENTIMENT_NEGATIVE ? MOOD_FRUSTRATED : MOOD_NONE;
}
