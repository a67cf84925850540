/* What the entries of this stage are about, told by their keys, and their form in checkpoints (kpi.state). Task thread only. */
#ifndef TS_KPI_ENTRY_H
#define TS_KPI_ENTRY_H

#include "processors/kpi/task.h"

enum { KPI_STATE_VERSION = 1 };

/* No name of a KPI begins as the keys of what is no series do. */
enum subject {
    SUBJECT_SERIES, /* struct series_state */
    SUBJECT_CLOCK,  /* struct sources, the task's own */
    SUBJECT_SOURCE, /* struct source_watch */
    SUBJECT_REFUSED, /* struct refusals */
    SUBJECT_SHIFT   /* struct comparison */
};

enum subject kpi_subject_of(struct view key);

/* Callbacks of engine/processor.h. */
void kpi_entry_save(void *context, struct entry *entry, struct bytes *value);
bool kpi_entry_load(void *context, struct entry *entry, struct view value);
void kpi_entry_free(void *context, struct entry *entry);

#endif
