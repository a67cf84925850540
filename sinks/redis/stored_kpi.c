#include "sinks/redis/stored_kpi.h"

#include "base/number_text.h"

#include <stdio.h>
#include <stdlib.h>

/* No parser: the page asks for some thousand of them at once. Within a text the quotes of a key would be escaped, so what is found is a key. */
bool stored_kpi_number(struct view json, const char *key, double *value)
{
    char wanted[64], text[NUMBER_TEXT_MAX + 1];
    int size = snprintf(wanted, sizeof wanted, "\"%s\":", key);
    const char *at = memmem(json.data, json.size, wanted, (size_t)size), *end = json.data + json.size;
    size_t length = 0;
    for (at = at ? at + size : end; at < end && *at != ',' && *at != '}' && length < NUMBER_TEXT_MAX; at++)
        text[length++] = *at;
    text[length] = '\0';
    if (length == 0 || text[0] == 'n')
        return false;
    *value = strtod(text, NULL); /* the program never sets a locale, so the point is a point */
    return true;
}
