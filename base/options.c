#include "base/options.h"

#include "base/edit_distance.h"
#include "base/time_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option *find_option(const struct option *options, const char *name, size_t size)
{
    for (const struct option *option = options; option->name; option++) {
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
            return option;
    }
    return NULL;
}

static void complain_unknown(const struct option *options, const char *name, struct bytes *error)
{
    struct nearest nearest = {.word = name, .distance = 4};
    for (const struct option *option = options; option->name; option++)
        nearest_offer(&nearest, option->name);
    bytes_printf(error, "unknown option '%s'", name);
    if (nearest.name)
        bytes_printf(error, "; did you mean '%s'?", nearest.name);
}

static bool parse_integer(const char *text, int64_t *value)
{
    char *end;
    double number = strtod(text, &end);
    double worth = *end == 'k' || *end == 'K' ? 1e3 : *end == 'M' ? 1e6 : *end == 'G' ? 1e9 : 1;
    if (end == text || end[worth != 1] != '\0' || !isfinite(number) || fabs(number * worth) > 9e18 ||
        number * worth != floor(number * worth))
        return false;
    *value = worth == 1 ? strtoll(text, NULL, 10) : (int64_t)(number * worth);
    return true;
}

static bool set_value(const struct option *option, const char *text, struct bytes *error)
{
    static const char *const wants[] = {[OPTION_INTEGER] = "a whole number", [OPTION_DECIMAL] = "a number",
                                        [OPTION_DURATION] = "a duration such as 30s, 5m, 2h or 7d"};
    char *end;
    bool is_good = true;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)option->into = true;
        break;
    case OPTION_TEXT:
        *(const char **)option->into = text;
        break;
    case OPTION_INTEGER:
        is_good = parse_integer(text, option->into);
        break;
    case OPTION_DECIMAL:
        *(double *)option->into = strtod(text, &end);
        is_good = end != text && *end == '\0' && isfinite(*(double *)option->into);
        break;
    case OPTION_DURATION:
        is_good = time_parse_duration(view_of_text(text), option->into);
        break;
    }
    if (!is_good)
        bytes_printf(error, "%s: '%s' is not %s", option->name, text, wants[option->kind]);
    return is_good;
}

bool options_parse(int argc, char **argv, const struct option *options, struct text_list *arguments, struct bytes *error)
{
    bool has_ended = false;
    if (arguments)
        *arguments = (struct text_list){.items = argv};
    for (int i = 0; i < argc; i++) {
        if (has_ended || argv[i][0] != '-' || argv[i][1] == '\0') {
            if (arguments == NULL) {
                bytes_printf(error, "'%s': this command takes no arguments", argv[i]);
                return false;
            }
            argv[arguments->count++] = argv[i]; /* at i at most */
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            has_ended = true;
            continue;
        }
        size_t size = strcspn(argv[i], "=");
        const char *value = argv[i][size] == '=' ? argv[i] + size + 1 : NULL;
        const struct option *option = find_option(options, argv[i], size);
        if (option == NULL) {
            complain_unknown(options, argv[i], error);
            return false;
        }
        if (option->kind == OPTION_FLAG && value) {
            bytes_printf(error, "%s takes no value", option->name);
            return false;
        }
        if (option->kind != OPTION_FLAG && value == NULL) {
            if (i + 1 == argc) {
                bytes_printf(error, "%s wants a value: %s", option->name, option->value);
                return false;
            }
            value = argv[++i];
        }
        if (!set_value(option, value, error))
            return false;
    }
    return true;
}

void options_help(const struct option *options, struct bytes *out)
{
    for (const struct option *option = options; option->name; option++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", option->name, option->value ? " " : "", option->value ? option->value : "");
        int width = 26; /* columns: what continues a character in UTF-8 takes none */
        for (const char *at = left; *at; at++)
            width += ((unsigned char)*at & 0xc0) == 0x80;
        bytes_printf(out, "  %-*s %s\n", width, left, option->about);
    }
}
