/* Any bytes as a webhook's payload through a shipped mapping: no crash, no leak. */
#include "ingest/intake.h"

#include <stdlib.h>

#define MUST(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* jq keeps only a pointer to the end of its stack, which looks like a leak while a mapping lives. Real ones are found by
 * unit/ingest under the address sanitizer, where mappings end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static struct mapping *shipped(const char *name)
{
    struct bytes program = {0}, error = {0};
    bool is_found = mapping_find(name, "", &program, &error);
    struct mapping_options options = {.name = name, .file = name};
    struct mapping *mapping = is_found ? mapping_create(bytes_view(&program), &options, NULL, &error) : NULL;
    MUST(mapping);
    bytes_finish(&program);
    return mapping;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"zendesk", "shopify", "typeform", "stripe", "chatwoot", "intercom", "surveymonkey", "hubspot"};
    enum { NAMES = sizeof names / sizeof *names };
    static struct mapping *mappings[NAMES];
    static struct arena arena;
    if (!mappings[0]) {
        arena_init(&arena);
        for (size_t i = 0; i < NAMES; i++)
            mappings[i] = shipped(names[i]);
    }
    for (size_t i = 0; i < NAMES; i++) {
        struct intake intake = {.mapping = mappings[i], .default_source = VIEW_LITERAL("fuzz"), .arena = &arena};
        struct touchpoint touch;
        struct json_fault fault;
        enum intake_step step;
        arena_reset(&arena);
        intake_put_payload(&intake, view_of(data, size));
        while ((step = intake_take(&intake, &touch, &fault)) != INTAKE_END)
            MUST(step == INTAKE_TOUCHPOINT || fault.code);
    }
    return 0;
}
