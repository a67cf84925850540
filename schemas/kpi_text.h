/* A KPI's value as people read it: "78.2 %", "2.4 h", "4.12". In messages and in the terminal. */
#ifndef TS_SCHEMAS_KPI_TEXT_H
#define TS_SCHEMAS_KPI_TEXT_H

#include "schemas/kpi_names.h"

enum { KPI_TEXT_SIZE = 32 };

void kpi_text_duration(char text[KPI_TEXT_SIZE], double ms);
void kpi_text_distance(char text[KPI_TEXT_SIZE], enum kpi_kind kind, double size); /* of two values, in words that cannot be read as a value */
void kpi_text_value(char text[KPI_TEXT_SIZE], enum kpi_kind kind, double value);

#endif
