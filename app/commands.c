/* Every command of the program, in the order in which help lists them. */
#include "app/app.h"
#include "app/backtest.h"
#include "app/collect.h"
#include "app/check.h"
#include "app/explain.h"
#include "app/generate.h"
#include "app/import.h"
#include "app/inspect.h"
#include "app/pipeline.h"
#include "app/top.h"
#include "app/replay.h"
#include "app/sentiment.h"
#include "app/topics.h"

#include <stdio.h>

static int settings_command(struct app *app, int argc, char **argv)
{
    (void)app;
    if (!app_parse_options("settings", argc, argv, (struct option[]){OPTIONS_END}, NULL))
        return EXIT_USAGE;
    struct bytes text = {0};
    config_describe(&text);
    fwrite(text.data, 1, text.size, stdout);
    bytes_finish(&text);
    return EXIT_FINE;
}

const struct command commands[] = {
    {"ingest", "", "service: touchpoints and webhooks over HTTP, to Kafka",
     "POST /v1/touchpoints (JSON object or array, NDJSON, CloudEvents), POST /v1/hooks/NAME; settings: ingest.*",
     collect_command, NULL},
    {"import", "FILE… [options]", "files of touchpoints, or of anything a mapping understands, to Kafka",
     "FILE is NDJSON or JSON in the JSON form, or with --mapping anything: CSV, JSON, text. \"-\" is standard input.\n"
     "What is refused goes to touchpoints.rejected with the reason. Ends with the counts of accepted, duplicate (the same\n"
     "event id again) and rejected records; exits 1 if anything was rejected.",
     import_command, import_option_rows},
    {"generate", "[options]", "seeded synthetic traffic, for demos and benchmarks", NULL, generate_command, generate_option_rows},
    {"journey", "", "service: touchpoints to enriched events, journeys, alerts, follow-ups, KPI deltas", NULL, journey_command, NULL},
    {"kpi", "", "service: KPI deltas to rolling KPIs and trend shifts", NULL, kpi_command, NULL},
    {"sink", "[options]", "service: results to Redis", NULL, sink_command, sink_options},
    {"notify", "[--test [RECEIVER…]]", "service: alerts to webhooks",
     "With --test no service: one alert of rule \"test\", as grave as the receiver's severity, signed and formed as any other, once. A line for\n"
     "each receiver; exits 1 if one did not take it. At PagerDuty it opens an incident and resolves it at once.",
     notify_command, notify_options},
    {"dashboard", "", "service: web page and read API over Redis", NULL, dashboard_command, NULL},
    {"top", "[options]", "the dashboard's essentials in a terminal", NULL, top_command, top_options},
    {"run", "[SERVICE…]", "all services in one process, or those named: ingest, journey, kpi, sink, notify, dashboard", NULL,
     run_command_all, NULL},
    {"check", "", "validates the configuration and tests every connection it names", NULL, check_command, NULL},
    {"topics", "", "creates or checks the topics and registers their schemas", NULL, topics_command, topics_options},
    {"inspect", "TOPIC [options]", "prints a topic as JSON lines", NULL, inspect_command, inspect_options},
    {"sentiment", "[FILE]", "judges one text a line: LABEL<tab>score<tab>confidence",
     "Reads FILE, or standard input. The score runs from -1 to 1, the confidence is how often such a label is right;\n"
     "docs/SENTIMENT.md is the model's card.",
     sentiment_file_command, NULL},
    {"backtest", "cases | shifts|churn FILE.csv [options]", "how good the scores and the trend detector were on what has been recorded",
     "cases: every touchpoint of the installation through the journey processor in memory; of the cases with the highest scores, how\n"
     "many went on to an escalation, a customer who left or another bad score. churn: a fit on a table of customers. shifts: the\n"
     "CSV has a header; its first column is a time (ISO 8601 or epoch seconds) or a running index, its second the value\n"
     "(empty: missing), its third, if there is one, the sample size. One JSON line a shift, strictly online: what is said at\n"
     "detected_row uses the rows up to it alone.",
     backtest_command, backtest_options},
    {"explain", "KPI --window W [options]", "the events that a number is made of, and the number computed again from them",
     "Reads touchpoints from the beginning and runs both processors over them in memory. Prints a JSON line for each event that\n"
     "added to (or took from) the number, and last the number itself beside the one that is published.",
     explain_command, explain_options},
    {"settings", "", "prints the reference page of all settings (docs/CONFIGURATION.md)", NULL, settings_command, NULL},
    {"replay", "[options]", "rejected records back through ingest, after a fix, under the same event ids", NULL, replay_command,
     replay_option_rows},
    {"forget", "CUSTOMER…", "erases customers: everything that names them goes", NULL, forget_command, NULL},
    {NULL}};
