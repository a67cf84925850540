/* bench-codecs: CPU per decode, encode and JSON reading of a plain and of a wordy touchpoint, on this machine. */
#include "schemas/json_form.h"
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 2000000 };

static struct arena arena;
static struct bytes scratch;
static struct touchpoint touch;
static struct enriched_touchpoint enriched;
static struct bytes avro, text, enriched_avro;

static void run_decode(void)
{
    struct touchpoint out;
    if (!touchpoint_decode(&out, bytes_view(&avro), &arena))
        puts("does not decode");
}

static void run_encode(void)
{
    touchpoint_encode(&scratch, &touch);
}

static void run_encode_after(void)
{
    enriched_touchpoint_encode_after(&scratch, bytes_view(&avro), &enriched);
}

static void run_enriched_decode(void)
{
    struct enriched_touchpoint out;
    if (!enriched_touchpoint_decode(&out, bytes_view(&enriched_avro), &arena))
        puts("does not decode");
}

static void run_from_json(void)
{
    struct touchpoint out;
    struct json_fault fault;
    if (!touchpoint_from_json(&out, bytes_view(&text), (struct view){NULL, 0}, &arena, &fault))
        puts(fault.code);
}

static void run_to_json(void)
{
    record_to_json(&scratch, &touchpoint_shape, &touch);
}

static void measure(const char *name, void (*run)(void), int rounds, size_t bytes)
{
    clock_t begin = clock();
    for (int i = 0; i < rounds; i++) {
        run();
        bytes_clear(&scratch);
        if (i % 1000 == 0)
            arena_reset(&arena);
    }
    double ns = (double)(clock() - begin) / CLOCKS_PER_SEC * 1e9 / rounds;
    printf("  %-28s %8.0f ns  %9.0f/s  %6zu bytes\n", name, ns, 1e9 / ns, bytes);
}

static void measure_all(const char *title)
{
    bytes_clear(&avro);
    bytes_clear(&text);
    bytes_clear(&enriched_avro);
    touchpoint_encode(&avro, &touch);
    record_to_json(&text, &touchpoint_shape, &touch);
    enriched.touch = touch;
    enriched_touchpoint_encode(&enriched_avro, &enriched);
    puts(title);
    measure("touchpoint_decode", run_decode, ROUNDS, avro.size);
    measure("touchpoint_encode", run_encode, ROUNDS, avro.size);
    measure("enriched_encode_after", run_encode_after, ROUNDS, enriched_avro.size);
    measure("enriched_decode", run_enriched_decode, ROUNDS, enriched_avro.size);
    measure("touchpoint_from_json", run_from_json, ROUNDS / 4, text.size);
    measure("record_to_json", run_to_json, ROUNDS / 4, text.size);
}

int main(void)
{
    struct view topics[] = {VIEW_LITERAL("delivery")}, reasons[] = {VIEW_LITERAL("nps_0_3 +35")};
    struct attribute attributes[] = {{VIEW_LITERAL("topic"), VIEW_LITERAL("delivery")},
                                     {VIEW_LITERAL("store"), VIEW_LITERAL("berlin-04")}};
    arena_init(&arena);
    for (int i = 0; i < 16; i++)
        touch.event_id.bytes[i] = (unsigned char)(i * 37 + 1);
    touch.customer_id = VIEW_LITERAL("c-0012345");
    touch.occurred_at_ms = 1795341600123;
    touch.received_at_ms = 1795341601001;
    touch.source = VIEW_LITERAL("shop");
    touch.channel = CHANNEL_WEB;
    touch.product = VIEW_LITERAL("P7");
    touch.segment = VIEW_LITERAL("smb");
    touch.body_kind = TOUCHPOINT_BODY_ORDER_PLACED;
    touch.body.order_placed = (struct order_placed){.order_id = VIEW_LITERAL("o-99887766"), .amount_minor = 12999,
                                                    .currency = VIEW_LITERAL("EUR")};
    enriched.stage = STAGE_ONBOARDING;
    enriched.category = CATEGORY_DIGITAL;
    enriched.customer.events = 12;
    enriched.customer.first_seen_at_ms = 1795000000000;
    measure_all("an order, no attributes:");

    touch.attributes.items = attributes;
    touch.attributes.count = 2;
    touch.body_kind = TOUCHPOINT_BODY_SURVEY_ANSWERED;
    touch.body.survey_answered = (struct survey_answered){
        .survey_id = VIEW_LITERAL("s-2026-11"), .kind = SURVEY_KIND_NPS, .score = 2,
        .comment = VIEW_LITERAL("The parcel came nine days late, nobody answered my \"urgent\" e-mail, and the "
                                "replacement does not fit either. Grüße aus Köln, and good-bye.")};
    enriched.topics.items = topics;
    enriched.topics.count = 1;
    enriched.reasons.items = reasons;
    enriched.reasons.count = 1;
    enriched.has_sentiment = true;
    enriched.sentiment = (struct sentiment_reading){SENTIMENT_LABEL_NEGATIVE, -0.8, 0.9};
    measure_all("a survey answer with two attributes and 150 characters of comment:");
    arena_finish(&arena);
    bytes_finish(&avro);
    bytes_finish(&text);
    bytes_finish(&enriched_avro);
    bytes_finish(&scratch);
    return 0;
}
