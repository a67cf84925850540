/* Side tables of a mapping: other files whose rows it looks up as $tables.NAME[KEY].
 *
 * A mapping declares them in comments of its own:
 *     # table: payments olist_order_payments_dataset.csv order_id
 *     # table? products olist_products_dataset.csv product_id      (may be absent: then there is no such table)
 *     # table: cases $self Case ID                                 (the file being imported)
 * A declared file is looked for beside the file being imported; `--tables NAME=FILE:KEY,…` says where else, and adds more. */
#ifndef TS_INGEST_SIDE_TABLES_H
#define TS_INGEST_SIDE_TABLES_H

#include "ingest/mapping.h"

/* Reads what `program` declares and `given` (may be NULL) names, for the input file `path`. The result is the caller's.
 * NULL: `error` names the table, the file and what is wrong. */
struct mapping_tables *side_tables_load(struct view program, const char *given, const char *path, struct bytes *error);

#endif
