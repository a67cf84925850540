/* Texts that customers might write: a small grammar in four languages, by mood and matter. */
#ifndef TS_INGEST_GENERATE_PHRASES_H
#define TS_INGEST_GENERATE_PHRASES_H

#include "base/random.h"
#include "base/view.h"

enum language { LANGUAGE_ENGLISH, LANGUAGE_GERMAN, LANGUAGE_FRENCH, LANGUAGE_PORTUGUESE, LANGUAGE_COUNT };
enum mood { MOOD_BAD, MOOD_PLAIN, MOOD_GOOD, MOOD_COUNT };
enum matter { MATTER_DELIVERY, MATTER_SUPPORT, MATTER_PRODUCT, MATTER_PRICE, MATTER_APP, MATTER_COUNT };

enum { PHRASE_BYTES_MAX = 320 };

/* One to three sentences into `text`. */
struct view phrase_write(char text[PHRASE_BYTES_MAX], enum language language, enum mood mood, enum matter matter,
                         struct random *random);

/* What an agent answers. */
struct view phrase_reply(char text[PHRASE_BYTES_MAX], enum language language, struct random *random);

#endif
