/* The YAML file of the settings as a tree with line numbers; the only user of libyaml. */
#include "base/settings_file.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

static void node_finish(struct settings_node *node)
{
    for (size_t i = 0; i < node->child_count; i++)
        node_finish(&node->children[i]);
    free(node->children);
    free((char *)node->key);
    free((char *)node->scalar);
}

void settings_tree_destroy(struct settings_node *root)
{
    if (root == NULL)
        return;
    node_finish(root);
    free(root);
}

/* An alias stands for all that it names, and may name what holds it: without bounds a line of YAML could take all memory, or go round for ever. */
enum { DEPTH_MAX = 32, NODES_MAX = 200000 };

struct conversion {
    yaml_document_t *document;
    size_t node_count;
    unsigned depth;
};

/* What YAML calls null is no text: a token of `~` is none. */
static bool is_null(const yaml_node_t *node)
{
    static const char *const nulls[] = {"~", "null", "Null", "NULL"};
    for (size_t i = 0; node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && i < sizeof nulls / sizeof *nulls; i++) {
        if (strcmp((const char *)node->data.scalar.value, nulls[i]) == 0)
            return true;
    }
    return false;
}

static char *copy_scalar(const yaml_node_t *node)
{
    if (is_null(node))
        return memory_copy_text("");
    char *copy = memory_allocate(node->data.scalar.length + 1);
    memcpy(copy, node->data.scalar.value, node->data.scalar.length);
    copy[node->data.scalar.length] = '\0';
    return copy;
}

static bool convert(struct conversion *conversion, int index, struct settings_node *to);

static struct settings_node *add_child(struct settings_node *parent)
{
    parent->children = memory_resize(parent->children, (parent->child_count + 1) * sizeof *parent->children);
    struct settings_node *child = &parent->children[parent->child_count++];
    *child = (struct settings_node){0};
    return child;
}

static bool convert_map(struct conversion *conversion, yaml_node_t *from, struct settings_node *to)
{
    to->kind = SETTINGS_MAP;
    for (yaml_node_pair_t *pair = from->data.mapping.pairs.start; pair < from->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(conversion->document, pair->key);
        struct settings_node *child = add_child(to);
        child->key = key->type == YAML_SCALAR_NODE ? copy_scalar(key) : memory_copy_text("?");
        bool is_good = convert(conversion, pair->value, child);
        child->line = (int)key->start_mark.line + 1;
        if (!is_good)
            return false;
    }
    return true;
}

static bool convert_list(struct conversion *conversion, yaml_node_t *from, struct settings_node *to)
{
    to->kind = SETTINGS_LIST;
    for (yaml_node_item_t *item = from->data.sequence.items.start; item < from->data.sequence.items.top; item++) {
        if (!convert(conversion, *item, add_child(to)))
            return false;
    }
    return true;
}

/* False: too deep, or too much. */
static bool convert(struct conversion *conversion, int index, struct settings_node *to)
{
    yaml_node_t *from = yaml_document_get_node(conversion->document, index);
    to->line = (int)from->start_mark.line + 1;
    if (conversion->depth == DEPTH_MAX || ++conversion->node_count > NODES_MAX)
        return false;
    if (from->type == YAML_SCALAR_NODE) {
        to->kind = SETTINGS_SCALAR;
        to->scalar = copy_scalar(from);
        return true;
    }
    conversion->depth++;
    bool is_good = from->type == YAML_MAPPING_NODE ? convert_map(conversion, from, to) : convert_list(conversion, from, to);
    conversion->depth--;
    return is_good;
}

/* Behind a line `---` a second document could begin; nobody would read its settings. */
static bool nothing_follows(yaml_parser_t *parser, const char *path, struct bytes *error)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document)) {
        bytes_printf(error, "%s:%zu: not YAML: %s", path, parser->problem_mark.line + 1, parser->problem);
        return false;
    }
    const yaml_node_t *top = yaml_document_get_root_node(&document);
    if (top)
        bytes_printf(error, "%s:%zu: a second document begins here; a configuration is one", path, top->start_mark.line + 1);
    yaml_document_delete(&document);
    return top == NULL;
}

struct settings_node *settings_tree_read(const char *path, struct bytes *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        bytes_printf(error, "%s: cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    yaml_parser_t parser;
    yaml_document_t document;
    struct settings_node *root = NULL;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    bool is_loaded = yaml_parser_load(&parser, &document);
    if (!is_loaded && ferror(file)) {
        bytes_printf(error, "%s: cannot be read: %s", path, strerror(errno)); /* a folder, say */
    } else if (!is_loaded) {
        bytes_printf(error, "%s:%zu: not YAML: %s", path, parser.problem_mark.line + 1, parser.problem);
    } else {
        yaml_node_t *top = yaml_document_get_root_node(&document);
        root = memory_zeroed(1, sizeof *root);
        root->kind = SETTINGS_MAP;
        struct conversion conversion = {.document = &document};
        bool is_good = top == NULL || convert(&conversion, 1, root); /* the first node is the root */
        /* A file of comments only holds one empty scalar. */
        if (root->kind == SETTINGS_SCALAR && root->scalar[0] == '\0') {
            node_finish(root);
            *root = (struct settings_node){.kind = SETTINGS_MAP};
        }
        yaml_document_delete(&document);
        if (!is_good)
            bytes_printf(error, "%s: an alias (*name) holds itself, or what is nested goes too deep", path);
        if (!is_good || !nothing_follows(&parser, path, error)) {
            settings_tree_destroy(root);
            root = NULL;
        }
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return root;
}

const struct settings_node *settings_node_of(const struct settings_node *map, const char *key)
{
    for (size_t i = 0; map && map->kind == SETTINGS_MAP && i < map->child_count; i++) {
        const struct settings_node *child = &map->children[i];
        size_t size = child->key ? strlen(child->key) : 0;
        if (size == 0 || strncmp(key, child->key, size) != 0 || (key[size] != '\0' && key[size] != '.'))
            continue;
        const struct settings_node *found = key[size] ? settings_node_of(child, key + size + 1) : child;
        if (found)
            return found;
    }
    return NULL;
}

int settings_line_of(const struct settings_node *map, const char *key)
{
    const struct settings_node *node = settings_node_of(map, key);
    return node ? node->line : 0;
}

const struct settings_node *settings_twin(const struct settings_node *tree)
{
    const struct settings_node *twin = NULL;
    for (size_t i = 0; i < tree->child_count && twin == NULL; i++) {
        const struct settings_node *child = &tree->children[i];
        for (size_t k = 0; k < i && tree->kind == SETTINGS_MAP && twin == NULL; k++)
            twin = strcmp(tree->children[k].key, child->key) == 0 ? child : NULL;
        twin = twin ? twin : settings_twin(child);
    }
    return twin;
}
