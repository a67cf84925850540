#include "schemas/layout.h"
#include <jansson.h>

static json_t *layout_of(json_t *schema);

static const char *short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static json_t *layout_of_each(json_t *list)
{
    json_t *result = json_array(), *element;
    size_t i;
    json_array_foreach (list, i, element)
        json_array_append_new(result, layout_of(element));
    return result;
}

static json_t *layout_of_fields(json_t *fields)
{
    json_t *result = json_array(), *field;
    size_t i;
    json_array_foreach (fields, i, field) {
        json_t *bare = json_object();
        json_object_set(bare, "name", json_object_get(field, "name"));
        json_object_set_new(bare, "type", layout_of(json_object_get(field, "type")));
        json_array_append_new(result, bare);
    }
    return result;
}

/* The parts of a schema that its bytes depend on; {"type": "string"} and "string" are the same. */
static json_t *layout_of(json_t *schema)
{
    if (json_is_string(schema))
        return json_string(short_name(json_string_value(schema)));
    if (json_is_array(schema))
        return layout_of_each(schema);
    if (!json_is_object(schema))
        return json_object(); /* no schema: equal to no other, see below */
    json_t *type = json_object_get(schema, "type"), *name = json_object_get(schema, "name");
    json_t *fields = json_object_get(schema, "fields"), *symbols = json_object_get(schema, "symbols");
    json_t *items = json_object_get(schema, "items"), *values = json_object_get(schema, "values");
    json_t *size = json_object_get(schema, "size");
    if (!fields && !symbols && !items && !values && !size)
        return layout_of(type);
    json_t *result = json_object();
    json_object_set_new(result, "type", layout_of(type));
    if (json_is_string(name))
        json_object_set_new(result, "name", json_string(short_name(json_string_value(name))));
    if (fields)
        json_object_set_new(result, "fields", layout_of_fields(fields));
    if (symbols)
        json_object_set(result, "symbols", symbols);
    if (items)
        json_object_set_new(result, "items", layout_of(items));
    if (values)
        json_object_set_new(result, "values", layout_of(values));
    if (size)
        json_object_set(result, "size", size);
    return result;
}

bool schema_same_layout(struct view a, struct view b)
{
    json_t *left = json_loadb(a.data, a.size, JSON_DECODE_ANY, NULL);
    json_t *right = json_loadb(b.data, b.size, JSON_DECODE_ANY, NULL);
    bool is_same = false;
    if (left && right) {
        json_t *left_layout = layout_of(left), *right_layout = layout_of(right);
        is_same = json_equal(left_layout, right_layout);
        json_decref(left_layout);
        json_decref(right_layout);
    }
    json_decref(left);
    json_decref(right);
    return is_same;
}
