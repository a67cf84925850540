/* Written line by line: the document is small, and its only input is the table of topics. */
#include "app/asyncapi.h"

#include "app/topics.h"

#include <ctype.h>

/* EnrichedTouchpoint → enriched_touchpoint, the name of its .avsc. */
static void print_file_name(FILE *out, const char *record)
{
    for (const char *c = record; *c; c++) {
        if (isupper((unsigned char)*c) && c != record)
            fputc('_', out);
        fputc(tolower((unsigned char)*c), out);
    }
}

/* touchpoints.enriched → touchpointsEnriched: identifiers in AsyncAPI have no dots. */
static void print_identifier(FILE *out, const char *topic)
{
    bool is_word_start = false;
    for (const char *c = topic; *c; c++) {
        if (*c != '.')
            fputc(is_word_start ? toupper((unsigned char)*c) : *c, out);
        is_word_start = *c == '.';
    }
}

static void print_channel(FILE *out, const struct topic_row *row)
{
    fputs("  ", out);
    print_identifier(out, row->name);
    fprintf(out, ":\n    address: %s\n    description: \"%s\"\n", row->name, row->summary);
    fprintf(out, "    messages:\n      %s:\n        $ref: '#/components/messages/%s'\n", row->shape->name, row->shape->name);
    fprintf(out, "    bindings:\n      kafka:\n        bindingVersion: '0.5.0'\n        topicConfiguration:\n"
                 "          cleanup.policy: [%s]\n",
            row->is_compacted ? "compact" : "delete");
    if (row->retention_ms >= 0)
        fprintf(out, "          retention.ms: %lld\n", (long long)row->retention_ms);
    if (row->is_dated_on_arrival)
        fputs("          message.timestamp.type: LogAppendTime\n", out);
    fprintf(out, "    x-key: \"%s\"\n", row->key);
}

static bool is_first_with_shape(const struct topic_row *row)
{
    for (const struct topic_row *before = topic_rows; before < row; before++) {
        if (before->shape == row->shape)
            return false;
    }
    return true;
}

static void print_message(FILE *out, const struct topic_row *row)
{
    fprintf(out, "    %s:\n      contentType: application/vnd.apache.avro\n      payload:\n", row->shape->name);
    fputs("        schemaFormat: application/vnd.apache.avro;version=1.9.0\n        schema:\n          $ref: '../schemas/", out);
    print_file_name(out, row->shape->name);
    fputs(".avsc'\n      bindings:\n        kafka:\n          bindingVersion: '0.5.0'\n          schemaIdLocation: payload\n"
          "          schemaIdPayloadEncoding: confluent\n",
          out);
}

void asyncapi_print(FILE *out)
{
    fputs("# Made by: touchstream topics --asyncapi > docs/asyncapi.yaml\n"
          "asyncapi: 3.0.0\n"
          "info:\n"
          "  title: touchstream\n"
          "  version: '1'\n"
          "  description: >-\n"
          "    Topics of a touchstream installation; topics.prefix stands before each address. Values are Avro in the Confluent wire\n"
          "    format under the subject TOPIC-value with BACKWARD compatibility; keys are UTF-8, partitioned with murmur2. Read with\n"
          "    isolation.level=read_committed.\n"
          "  license:\n"
          "    name: Apache-2.0\n"
          "defaultContentType: application/vnd.apache.avro\n"
          "channels:\n",
          out);
    for (const struct topic_row *row = topic_rows; row->name; row++)
        print_channel(out, row);
    fputs("operations:\n", out);
    for (const struct topic_row *row = topic_rows; row->name; row++) {
        fputs(row == topic_rows ? "  receive_" : "  send_", out);
        print_identifier(out, row->name);
        fprintf(out, ":\n    action: %s\n    channel:\n      $ref: '#/channels/", row == topic_rows ? "receive" : "send");
        print_identifier(out, row->name);
        fputs("'\n", out);
    }
    fputs("components:\n  messages:\n", out);
    for (const struct topic_row *row = topic_rows; row->name; row++) {
        if (is_first_with_shape(row))
            print_message(out, row);
    }
}
